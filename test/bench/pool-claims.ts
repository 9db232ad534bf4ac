import { Agent } from 'node:http'
import pg from 'pg'
import { prepareFloor } from './claim-floor.ts'
import { seedPools } from './claim-pools.ts'
import { claimOverHttp, newPublicKey, requireServed } from './http-claim.ts'
import { claimMinimally } from './minimal-claim.ts'
import { startService } from './service.ts'
import { type Latencies, measure } from './statistics.ts'
import type { Row } from './table.ts'

const warmUp = 200
const batch = 100
const batches = 5
const most = { ratio: 2, callers: 16 }

/** Claims over HTTP against the least that a durable claim can be, alternating, on one database. */
export async function benchPoolClaims(): Promise<Row[]> {
  await using service = await startService()
  const pool = new pg.Pool({ connectionString: service.databaseUrl, max: most.callers })
  pool.on('error', (error) => process.stderr.write(`${error.message}\n`))
  const agent = new Agent({ keepAlive: true, maxSockets: most.callers })
  try {
    const projects = await seedPools(service, pool, 1.2 * 2 * (warmUp + 2 * batch * batches))
    const floor = await prepareFloor(pool, projects)
    const { rows } = await pool.query<{ id: string }>(
      `SELECT warm_pools.id FROM warm_pools JOIN projects ON projects.id = project_id
       WHERE projects.name = ANY($1) ORDER BY warm_pools.id`,
      [projects],
    )
    const ids = rows.map(({ id }) => id)
    const claimant = { agent, url: service.url, token: service.token, publicKey: newPublicKey() }
    const overHttp = async (index: number) =>
      requireServed(await claimOverHttp(claimant, { project: projects[index % projects.length] }))
    const minimally = (index: number) => claimMinimally(pool, floor, ids, index)
    await measure(warmUp, 4, overHttp)
    await measure(warmUp, 4, minimally)
    const alternating = async (callers: number): Promise<{ hearth: Latencies[]; floor: Latencies[] }> => {
      const seen = { hearth: [] as Latencies[], floor: [] as Latencies[] }
      for (let index = 0; index < batches; index += 1) {
        seen.hearth.push(await measure(batch, callers, overHttp))
        seen.floor.push(await measure(batch, callers, minimally))
      }
      return seen
    }
    const [one, many] = [await alternating(1), await alternating(most.callers)]
    const middle = (of: Latencies[], pick: keyof Latencies) =>
      of.map((each) => each[pick]).toSorted((a, b) => a - b)[Math.floor(of.length / 2)] ?? Number.NaN
    return [
      {
        measure: 'claim over HTTP, 1 caller, p50, against a minimal one',
        hearth: middle(one.hearth, 'p50'),
        floor: middle(one.floor, 'p50'),
        unit: 'ms',
        most: most.ratio,
      },
      {
        measure: 'time for each claim, 16 callers, against a minimal one',
        hearth: 1_000 / middle(many.hearth, 'perSecond'),
        floor: 1_000 / middle(many.floor, 'perSecond'),
        unit: 'ms',
        most: most.ratio,
      },
    ]
  } finally {
    agent.destroy()
    await pool.end()
  }
}
