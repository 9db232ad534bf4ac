import { generateKeyPairSync } from 'node:crypto'
import { Agent, request } from 'node:http'
import pg from 'pg'
import { claimByPostgres, prepareFloor } from './claim-floor.ts'
import { seedPools } from './claim-pools.ts'
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
    const overHttp = (index: number) =>
      post(agent, `${service.url}/v1/claims`, service.token, {
        spec: { project: projects[index % projects.length], fallback: 'refuse', publicKey },
      })
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

function newPublicKey(): string {
  const raw = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)
  const length = (bytes: number) => Buffer.from([0, 0, 0, bytes])
  const blob = Buffer.concat([length(11), Buffer.from('ssh-ed25519'), length(32), raw])
  return `ssh-ed25519 ${blob.toString('base64')}`
}

/** `node:http` and not `fetch`, whose own cost per call is larger than a claim's. */
async function post(agent: Agent, url: string, token: string, body: unknown): Promise<void> {
  const text = JSON.stringify(body)
  await new Promise<void>((resolve, reject) => {
    const headers = {
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(text),
    }
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const answer = Buffer.concat(chunks).toString('utf8')
        if (response.statusCode !== 201 || !answer.includes('-cert-v01@openssh.com')) {
          reject(new Error(`claim answered ${response.statusCode}: ${answer.slice(0, 300)}`))
        } else resolve()
      })
    })
    sent.on('error', reject)
    sent.end(text)
  })
}
