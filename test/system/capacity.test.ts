import { eventually, seededRandom } from '@hearth/testing'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, type Replica, startInstallation, startReplica } from './installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

const hosts = ['one', 'two', 'three']
/** Capacity of each host: eight machines. */
const capacity = { HEARTH_CAPACITY_MEMORY_MEBIBYTES: '4096', HEARTH_CAPACITY_DISK_GIBIBYTES: '1000' }
const memoryMebibytes = 512
const room = hosts.length * 8

let installation: Installation
let second: Replica
const agents: SyntheticAgent[] = []

beforeAll(async () => {
  const overrides = { timings: { placementRest: 100 } }
  installation = await startInstallation({ overrides })
  second = await startReplica(installation, { overrides })
  for (const name of hosts)
    agents.push(await startSyntheticAgent(installation, { name, environment: capacity }))
})
afterAll(async () => {
  for (const agent of agents) await agent.stop()
  await second?.stop()
  await installation?.[Symbol.asyncDispose]()
})

test('two control planes that place at once never promise more than there is, at any moment', async () => {
  const random = seededRandom(Number(process.env.HEARTH_TEST_SEED ?? 7))
  const { client } = installation
  /** The two hosts alternately. */
  const clientOf = (index: number) => (index % 2 === 0 ? client : second.client)
  const { metadata } = await client.environmentClasses.create({
    name: 'eighth',
    spec: { virtualCpus: 1, memoryMebibytes, diskGibibytes: 4, image: 'debian-12' },
  })
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name: 'crowd' })
  const watch = await watchSums(installation.database.url)
  const live: string[] = []
  for (let round = 0; round < 5; round++) {
    const made = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        clientOf(index).environments.create({
          spec: { projectId, environmentClassId: metadata.id },
        }),
      ),
    )
    live.push(...made.map((environment) => environment.metadata.id))
    await watch.placeOften(made[0]?.metadata.organizationId ?? '')
    const going = random.shuffle(live).slice(0, 8)
    await Promise.all(going.map((id, index) => clientOf(index).environments.delete(id)))
    for (const id of going) live.splice(live.indexOf(id), 1)
  }
  const running = await eventually(
    async () => {
      const all = await client.environments.listAll({ projectId, phase: 'running' })
      return all.length === room ? all : null
    },
    { timeoutMilliseconds: 60_000, intervalMilliseconds: 200 },
  )
  const { looks, most } = await watch.stop()
  console.log(`${looks} looks; the most promised at once on one host: ${most} of 4096 MiB`)
  expect(most).toBe(4096)
  expect(looks).toBeGreaterThan(50)
  // All capacity is used, and the rest waits for exactly that reason.
  expect(running).toHaveLength(room)
  const pending = await client.environments.listAll({ projectId, phase: 'pending' })
  const waiting = pending.find((one) => one.spec.desiredPhase === 'running')
  const why = await client.environments.why(waiting?.metadata.id ?? '')
  expect(why.sentence).toContain(
    '3 runners have less than the 512 MiB of memory wanted (most left: 0 MiB on ',
  )
  await client.projects.delete(projectId)
}, 120_000)

test('pools that place what they make at once never promise more than there is, at any moment', async () => {
  const random = seededRandom(Number(process.env.HEARTH_TEST_SEED ?? 7))
  const { client } = installation
  const { metadata } = await client.environmentClasses.create({
    name: 'eighth-of-pools',
    spec: { virtualCpus: 1, memoryMebibytes, diskGibibytes: 4, image: 'debian-12' },
  })
  const made = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      client.apply({
        apiVersion: 'hearth/v1',
        name: `crowd-${index}`,
        warmPools: [{ environmentClass: metadata.name, min: 0 }],
      }),
    ),
  )
  const pools = made.flatMap(({ warmPools }) => warmPools.map(({ id }) => id))
  const watch = await watchSums(installation.database.url)
  const setAll = (min: () => number) =>
    Promise.all(
      pools.map((id, index) =>
        (index % 2 === 0 ? client : second.client).warmPools.update(id, { spec: { min: min() } }),
      ),
    )
  for (let round = 0; round < 6; round++) {
    await setAll(() => random.integer(0, 3))
    await untilNothingDue(installation.database.url)
  }
  await setAll(() => 3)
  await eventually(async () => (await client.environments.listAll({ phase: 'running' })).length >= room, {
    timeoutMilliseconds: 60_000,
    intervalMilliseconds: 200,
  })
  const { looks, most } = await watch.stop()
  const atOnce = await placedAtOnce(installation.database.url)
  console.log(`${looks} looks, ${atOnce} placed at once; the most promised on one host: ${most} of 4096 MiB`)
  expect(most).toBe(4096)
  expect(atOnce).toBeGreaterThan(0)
}, 120_000)

/** Resolves when no reconcile is due. */
async function untilNothingDue(url: string): Promise<void> {
  const sql = new pg.Client({ connectionString: url })
  await sql.connect()
  const nothingDue = async () =>
    (await sql.query('SELECT FROM graphile_worker.jobs WHERE run_at <= now()')).rowCount === 0
  await eventually(nothingDue, { timeoutMilliseconds: 30_000, intervalMilliseconds: 20 })
  await sql.end()
}

/** Number of environments that were placed in the transaction that created them: their two events have its time. */
async function placedAtOnce(url: string): Promise<number> {
  const sql = new pg.Client({ connectionString: url })
  await sql.connect()
  const { rows } = await sql.query<{ count: string }>(
    `SELECT count(*) FROM events AS created JOIN events AS placed USING (resource_id, time)
     WHERE created.kind = 'Environment' AND created.verb = 'created'
       AND placed.resource->'status'->>'phase' = 'provisioning'`,
  )
  await sql.end()
  return Number(rows[0]?.count)
}

/** Polls the sums of reserved capacity, on connections of its own. */
async function watchSums(url: string) {
  const sql = new pg.Client({ connectionString: url })
  const other = new pg.Client({ connectionString: url })
  await sql.connect()
  await other.connect()
  let isOver = false
  let looks = 0
  let most = 0
  const looking = (async () => {
    while (!isOver) {
      const { rows } = await sql.query<{ promised: string }>(
        "SELECT sum(memory_mebibytes) AS promised FROM environments WHERE phase <> 'deleted' AND runner_id IS NOT NULL GROUP BY runner_id",
      )
      looks += 1
      most = Math.max(most, ...rows.map(({ promised }) => Number(promised)))
    }
    await sql.end()
  })()
  return {
    /** Runs placement many times in parallel; the queue would run it one after another. */
    async placeOften(organizationId: string) {
      await other.query(
        "SELECT graphile_worker.add_job('reconcile', json_build_object('kind', 'placement', 'id', $1::text)) FROM generate_series(1, 24)",
        [organizationId],
      )
    },
    async stop() {
      isOver = true
      await looking
      await other.end()
      return { looks, most }
    },
  }
}
