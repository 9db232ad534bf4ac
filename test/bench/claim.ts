import { Agent } from 'node:http'
import pg from 'pg'
import { claimByPostgres, prepareFloor } from './claim-floor.ts'
import { seedPools } from './claim-pools.ts'
import { claimOverHttp, newPublicKey, requireServed } from './http-claim.ts'
import { startService } from './service.ts'
import { measure } from './statistics.ts'
import type { Row } from './table.ts'

const claimsEach = 1_000
const callerCounts = [1, 16] as const

/** Claims over HTTP against the same transaction by `pg` alone, alternating, on the same database in the same run. */
export async function benchClaims(): Promise<Row[]> {
  await using service = await startService()
  const pool = new pg.Pool({ connectionString: service.databaseUrl, max: 20 })
  pool.on('error', (error) => process.stderr.write(`${error.message}\n`))
  try {
    const warmUp = 200
    // The round robin is uneven: a fifth more environments than claims are prepared.
    const needed = 1.2 * (warmUp * 2 + callerCounts.length * claimsEach * 2)
    const projects = await seedPools(service, pool, needed)
    const floor = await prepareFloor(pool, projects)
    const agent = new Agent({ keepAlive: true, maxSockets: 16 })
    const publicKey = newPublicKey()
    const claimant = { agent, url: service.url, token: service.token, publicKey }
    const overHttp = async (index: number) =>
      requireServed(await claimOverHttp(claimant, { project: projects[index % projects.length] }))
    const byPostgres = (index: number) => claimByPostgres(pool, floor, index, publicKey)
    await measure(warmUp, 4, overHttp)
    await measure(warmUp, 4, byPostgres)
    const rows: Row[] = []
    for (const callers of callerCounts) {
      const hearth = await measure(claimsEach, callers, overHttp)
      const raw = await measure(claimsEach, callers, byPostgres)
      const name = `claim, ${callers} caller${callers === 1 ? '' : 's'}`
      rows.push(
        { measure: `${name}, p50`, hearth: hearth.p50, floor: raw.p50, unit: 'ms', most: 3 },
        { measure: `${name}, p99`, hearth: hearth.p99, floor: raw.p99, unit: 'ms', most: 5 },
        { measure: `${name}, rate`, hearth: hearth.perSecond, floor: raw.perSecond, unit: '/s', most: null },
      )
    }
    agent.destroy()
    return rows
  } finally {
    await pool.end()
  }
}
