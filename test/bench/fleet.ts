import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '@hearth/testing'
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node'
import pg from 'pg'
import { watchDisk } from './disk.ts'
import { startObserver } from './fleet-observer.ts'
import { type Fleet, machinesEach, startFleet } from './fleet-processes.ts'
import { untilRest } from './rest.ts'
import { type Service, startService } from './service.ts'
import { latenciesOf } from './statistics.ts'
import { plain, type Row } from './table.ts'
import { describe, difference, note, type Usage, usageOf } from './usage.ts'

const sizes = (process.env.HEARTH_BENCH_FLEET ?? '500,2000,5000').split(',').map(Number)
const poolSize = 50
const fillMilliseconds = 900_000
const cost = { perSecond: 200, seconds: 20 }
const load = { perSecond: 500, seconds: 30 }

interface Ground {
  service: Service
  fleet: Fleet
  pool: pg.Pool
  nats: NatsConnection
}

/**
 * Enough synthetic agents for the largest size, filled by warm pools in steps: the cost of a report at each size, the
 * time until everything is at rest again after the control plane was killed, and the delay until observers receive
 * events.
 */
export async function benchFleet(): Promise<Row[]> {
  const most = Math.max(...sizes)
  await using service = await startService()
  const pool = new pg.Pool({ connectionString: service.databaseUrl, max: 2 })
  pool.on('error', (error) => process.stderr.write(`${error.message}\n`))
  const authenticator = credsAuthenticator(readFileSync(service.nats.credentialsFile))
  const nats = await connect({ servers: service.nats.url, authenticator })
  using fleet = await startFleet(service, Math.ceil(most / machinesEach))
  const ground: Ground = { service, fleet, pool, nats }
  try {
    await rest(ground, new Date(0), fillMilliseconds)
    const rows: Row[] = []
    const costs: number[] = []
    for (const size of sizes) {
      rows.push(await fill(ground, size))
      costs.push(await measureCost(ground, size))
      rows.push(plain(`cost of a report at ${size}`, costs.at(-1) ?? Number.NaN, 'ms'))
    }
    const [first = Number.NaN] = costs
    const last = costs.at(-1) ?? Number.NaN
    const name = `cost of a report, ${most} against ${Math.min(...sizes)}`
    rows.push({ measure: name, hearth: last, floor: first, unit: 'ms', most: 1.25 })
    rows.push({ ...plain('restart until settled', await measureRestart(ground), 's'), most: 30 })
    rows.push(...(await measureLag(ground)))
    return rows
  } finally {
    await nats.close()
    await pool.end()
  }
}

async function fill({ service, pool }: Ground, size: number): Promise<Row> {
  const { client } = service
  const pools = Math.ceil(size / poolSize)
  const count = async () =>
    Number((await pool.query("SELECT count(*) FROM environments WHERE phase = 'running'")).rows[0]?.count)
  const before = await count()
  const began = performance.now()
  for (let index = Math.ceil(before / poolSize); index < pools; index += 1) {
    await client.apply({
      apiVersion: 'hearth/v1',
      name: `fleet-${index}`,
      repositories: [{ url: 'https://git.example/team/shop.git' }],
      setup: ['make dependencies'],
      warmPools: [{ environmentClass: 'small', min: poolSize }],
    })
  }
  await eventually(async () => (await count()) >= pools * poolSize, {
    timeoutMilliseconds: fillMilliseconds,
    intervalMilliseconds: 1_000,
  })
  const seconds = (performance.now() - began) / 1000
  return plain(`fill from ${before} to ${size} machines`, seconds, 's')
}

/** Processor milliseconds of control plane and PostgreSQL for one report, what they use at rest left out. */
async function measureCost(ground: Ground, size: number): Promise<number> {
  const { fleet } = ground
  await rest(ground, new Date(0), 120_000)
  const idleBefore = usageOf(ground.service, ground.fleet.pids)
  await delay(cost.seconds * 1000)
  const idle = difference(idleBefore, usageOf(ground.service, ground.fleet.pids))
  const before = usageOf(ground.service, ground.fleet.pids)
  const began = performance.now()
  const reports = await fleet.report(cost.perSecond, cost.seconds)
  await rest(ground, new Date(0), 120_000)
  const took = (performance.now() - began) / 1000
  const used = difference(before, usageOf(ground.service, ground.fleet.pids))
  const share = took / cost.seconds
  const each = (of: keyof Usage) => ((used[of] - idle[of] * share) / reports) * 1000
  note(`at ${size}, at rest per second: ${describe(idle, cost.seconds / 1000)} ms`)
  note(
    `at ${size}, for each of ${reports} reports: control plane ${each('controlPlane').toFixed(2)}, PostgreSQL ${each('postgres').toFixed(2)}, NATS ${each('nats').toFixed(2)}, agents ${each('agents').toFixed(2)} ms`,
  )
  return each('controlPlane') + each('postgres')
}

async function measureRestart(ground: Ground): Promise<number> {
  await rest(ground, new Date(0), 120_000)
  const since = new Date()
  const began = performance.now()
  await ground.service.crashControlPlane()
  note(`started again after ${((performance.now() - began) / 1000).toFixed(1)} s`)
  await rest(ground, since, 180_000)
  note(`nothing due and all agents heard after ${((performance.now() - began) / 1000).toFixed(1)} s`)
  await eventually(() => ground.fleet.lastSyncs().every((at) => at > since.getTime()), {
    timeoutMilliseconds: 180_000,
    intervalMilliseconds: 100,
  })
  await rest(ground, since, 180_000)
  return (performance.now() - began) / 1000
}

async function measureLag(ground: Ground): Promise<Row[]> {
  await using observer = await startObserver(ground.service)
  await ground.fleet.report(load.perSecond, 5)
  await rest(ground, new Date(0), 120_000)
  observer.takeLags()
  const before = usageOf(ground.service, ground.fleet.pids)
  await using disk = await watchDisk(ground.service.folder)
  const reports = await ground.fleet.report(load.perSecond, load.seconds)
  await rest(ground, new Date(0), 120_000)
  note(
    `processor use under load: ${describe(difference(before, usageOf(ground.service, ground.fleet.pids)), load.seconds)} of a core`,
  )
  const lags = observer.takeLags()
  if (lags.length < reports) note(`only ${lags.length} events for ${reports} reports`)
  const taken = latenciesOf(
    lags.map((lag) => lag.taken),
    load.seconds,
  )
  note(`report to transaction: p50 ${taken.p50.toFixed(0)} ms, p99 ${taken.p99.toFixed(0)} ms`)
  const { p50, p99, perSecond } = latenciesOf(
    lags.map((lag) => lag.received),
    load.seconds,
  )
  return [
    plain('report to event, p50', p50, 'ms'),
    { ...plain('report to event, p99', p99, 'ms'), most: 250 },
    plain('report to event, rate', perSecond, '/s'),
    ...disk.rows(),
  ]
}

const rest = ({ pool, nats }: Ground, since: Date, timeoutMilliseconds: number) =>
  untilRest(pool, nats, since, timeoutMilliseconds)
