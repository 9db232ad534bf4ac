import type { Task } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import { newId } from '@hearth/foundation'
import pg from 'pg'
import { afterEach, expect, test } from 'vitest'
import { hearth } from './command.ts'
import { until, untilEnvironment } from './following.ts'
import { type Installation, startInstallation, startReplica } from './installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** Schedules of tasks under a clock that is moved: over both changes of summer time, and over a time without a control plane. */
class MovedClock implements Clock {
  private offset = 0

  constructor(at: string) {
    this.moveTo(at)
  }

  now(): Date {
    return new Date(Date.now() + this.offset)
  }

  moveTo(at: string): void {
    this.offset = Date.parse(at) - Date.now()
  }
}

const disposables: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of disposables.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

interface World {
  clock: MovedClock
  installation: Installation
  agent: SyntheticAgent
  environmentId: string
}

/** A machine that runs at a time of next year. */
async function world(at: string): Promise<World> {
  const clock = new MovedClock(at)
  const installation = await startInstallation({ overrides: { clock } })
  disposables.push(installation)
  const { client } = installation
  const agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    clock,
    timings: { heartbeat: 200, progressReport: 0 },
  })
  disposables.push(agent)
  const name = `p-${newId().slice(-12)}`
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name })
  const small = await client.environmentClasses.get('small')
  const { metadata } = await client.environments.create({
    name: `m-${name}`,
    spec: { projectId, environmentClassId: small.metadata.id },
  })
  await untilEnvironment(client, metadata.id, ({ status }) => status.phase === 'running')
  return { clock, installation, agent, environmentId: metadata.id }
}

const nightly = ({ installation, environmentId }: World, cron: string) =>
  installation.client.tasks.create({
    name: 'nightly',
    spec: { environment: environmentId, command: 'echo due', schedule: { cron, timeZone: 'Europe/Berlin' } },
  })

const untilTask = ({ client }: Pick<Installation, 'client'>, id: string, wanted: (task: Task) => boolean) =>
  until(client, 'the task', () => client.tasks.get(id), wanted)
const hasRun = (times: number) => (task: Task) =>
  task.status.runs === times && task.status.phase === 'succeeded'

/** The queue's timers are those of PostgreSQL, whose clock nobody moves: those that are due by the moved one come now. */
async function timersUpTo({ database }: Installation, now: Date): Promise<void> {
  const sql = new pg.Client({ connectionString: database.url })
  await sql.connect()
  try {
    await sql.query(
      `SELECT graphile_worker.reschedule_jobs(array_agg(id), run_at := now())
       FROM graphile_worker._private_jobs WHERE run_at > now() AND run_at <= $1`,
      [now],
    )
  } finally {
    await sql.end()
  }
}

async function at(seen: World, time: string): Promise<void> {
  seen.clock.moveTo(time)
  await timersUpTo(seen.installation, seen.clock.now())
}

test('a time that the clock leaves out in spring comes as soon as the clock goes on, and once', async () => {
  const spring = await world('2027-03-28T00:58:00Z')
  const { metadata, status } = await nightly(spring, '30 2 * * *')
  // 2:00 is 3:00 that night in Berlin, and 1:00 UTC.
  expect(status.nextRunAt).toBe('2027-03-28T01:00:00.000Z')
  await at(spring, '2027-03-28T01:00:01Z')
  const ran = await untilTask(spring.installation, metadata.id, hasRun(1))
  expect(ran.status.nextRunAt).toBe('2027-03-29T00:30:00.000Z')
}, 60_000)

test('a time that the clock shows twice in autumn comes once', async () => {
  const autumn = await world('2027-10-31T00:29:00Z')
  const { metadata, status } = await nightly(autumn, '30 2 * * *')
  // 2:30 comes at 0:30 UTC, and again at 1:30.
  expect(status.nextRunAt).toBe('2027-10-31T00:30:00.000Z')
  await at(autumn, '2027-10-31T00:30:01Z')
  const ran = await untilTask(autumn.installation, metadata.id, hasRun(1))
  expect(ran.status.nextRunAt).toBe('2027-11-01T01:30:00.000Z')
  await at(autumn, '2027-10-31T01:30:01Z')
  await at(autumn, '2027-11-01T01:30:01Z')
  const again = await untilTask(autumn.installation, metadata.id, hasRun(2))
  expect(again.status.nextRunAt).toBe('2027-11-02T01:30:00.000Z')
}, 60_000)

test('what came three times without a control plane is caught up with once', async () => {
  const before = await world('2027-06-01T00:00:00Z')
  const { installation, clock } = before
  const { metadata, status } = await nightly(before, '30 4 * * *')
  expect(status.nextRunAt).toBe('2027-06-01T02:30:00.000Z')
  await installation.controlPlane.stop()
  clock.moveTo('2027-06-03T12:00:00Z')
  const after = await startReplica(installation, { overrides: { clock } })
  disposables.push({ [Symbol.asyncDispose]: () => after.stop() })
  await timersUpTo(installation, clock.now())
  const ran = await untilTask(after, metadata.id, hasRun(1))
  expect(ran.status.nextRunAt).toBe('2027-06-04T02:30:00.000Z')
  expect(await after.client.tasks.runs(metadata.id)).toHaveLength(1)
  const why = await hearth({ ...installation, ...after }, 'why', 'task', metadata.id)
  expect(why.stdout, why.stderr).toContain('its schedule is due next at 2027-06-04 02:30:00 UTC')
}, 60_000)
