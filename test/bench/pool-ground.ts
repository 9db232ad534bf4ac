import { readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { eventually } from '@hearth/testing'
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node'
import pg from 'pg'
import { type Claimant, call, newPublicKey } from './http-claim.ts'
import { untilRest } from './rest.ts'
import { type Programs, type Service, startService } from './service.ts'
import { type Usage, usageOf } from './usage.ts'

const agents = 4
const machinesEach = 400
const smallMebibytes = 2_048
const fillMilliseconds = 180_000

/** A service with synthetic hosts on which pools are kept, and one caller who claims from them. */
export interface PoolGround extends AsyncDisposable {
  service: Service
  pool: pg.Pool
  nats: NatsConnection
  claimant: Claimant
  usage(): Usage
  /** Makes a project with one pool, and resolves with the pool's id. */
  makePool(name: string, sizes: { min: number; max?: number }): Promise<string>
  /** Deletes it with its pool and their machines, claimed ones too, and resolves when they are gone. */
  deleteProject(name: string): Promise<void>
  /** Resolves when all pools together have so many machines ready. */
  untilReady(machines: number): Promise<void>
  untilRest(): Promise<void>
}

/** With the programs of this tree, or of another: what is asked here is understood by older ones, too. */
export async function startPoolGround(programs?: Programs): Promise<PoolGround> {
  const service = await startService(programs)
  const pool = new pg.Pool({ connectionString: service.databaseUrl, max: 4 })
  pool.on('error', (error) => process.stderr.write(`${error.message}\n`))
  const authenticator = credsAuthenticator(readFileSync(service.nats.credentialsFile))
  const nats = await connect({ servers: service.nats.url, authenticator })
  const pids: number[] = []
  for (let index = 0; index < agents; index += 1) {
    const child = await service.startAgent(`agent-${index}`, {
      HEARTH_AGENT_HOST: 'synthetic',
      HEARTH_LOG_LEVEL: 'warn',
      HEARTH_CAPACITY_VIRTUAL_CPUS: String(machinesEach),
      HEARTH_CAPACITY_MEMORY_MEBIBYTES: String(machinesEach * smallMebibytes),
      HEARTH_CAPACITY_DISK_GIBIBYTES: '1000000',
    })
    pids.push(child.pid ?? 0)
  }
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
  const claimant = { agent, url: service.url, token: service.token, publicKey: newPublicKey() }
  const ready = async () => {
    const { rows } = await pool.query<{ count: string }>(
      "SELECT count(*) FROM environments WHERE phase = 'running' AND claim_id IS NULL",
    )
    return Number(rows[0]?.count)
  }
  return {
    service,
    pool,
    nats,
    claimant,
    usage: () => usageOf(service, pids),
    makePool: (name, sizes) => makePool(service, name, sizes),
    async deleteProject(name) {
      const url = `${service.url}/v1/projects/${name}?force=true`
      const { status, text } = await call(agent, { method: 'DELETE', url, token: service.token })
      if (status >= 300) throw new Error(`deletion of ${name} answered ${status}: ${text}`)
      const gone = async () =>
        (await pool.query('SELECT FROM projects WHERE name = $1', [name])).rowCount === 0
      await eventually(gone, { timeoutMilliseconds: fillMilliseconds, intervalMilliseconds: 200 })
    },
    async untilReady(machines) {
      await eventually(async () => (await ready()) >= machines, {
        timeoutMilliseconds: fillMilliseconds,
        intervalMilliseconds: 100,
      })
    },
    untilRest: () => untilRest(pool, nats, new Date(0), fillMilliseconds),
    async [Symbol.asyncDispose]() {
      agent.destroy()
      await nats.close()
      await pool.end()
      await service[Symbol.asyncDispose]()
    },
  }
}

/** Not by the client, which does not understand what older versions answer. */
async function makePool(
  { url, token }: Service,
  name: string,
  sizes: { min: number; max?: number },
): Promise<string> {
  const response = await fetch(`${url}/v1/apply`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({
      apiVersion: 'hearth/v1',
      name,
      repositories: [{ url: 'https://git.example/team/shop.git' }],
      setup: ['make dependencies'],
      warmPools: [{ environmentClass: 'small', ...sizes }],
    }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`apply answered ${response.status}: ${text.slice(0, 300)}`)
  const { warmPools } = JSON.parse(text) as { warmPools: { id: string }[] }
  const id = warmPools[0]?.id
  if (id === undefined) throw new Error(`no pool in ${text.slice(0, 300)}`)
  return id
}
