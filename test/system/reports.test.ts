import { reportConsumer, streams } from '@hearth/contract'
import { connectMessaging } from '@hearth/messaging'
import { eventually, seededRandom } from '@hearth/testing'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect, credsAuthenticator } from '@nats-io/transport-node'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, startInstallation, startReplica } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { createStep, type ScriptedRunner, startScriptedRunner } from './scripted-runner.ts'

let installation: Installation
let runner: ScriptedRunner
let pool: pg.Pool

/** Commits reports but at first does not acknowledge them, as if killed in between. */
let losses = 0
const forgetful: typeof connectMessaging = async (options) => {
  const messaging = await connectMessaging(options)
  return {
    ...messaging,
    consumeReports: (handle, signal, mostAtOnce) =>
      messaging.consumeReports(
        async (reports) => {
          await handle(reports)
          if (losses > 0) {
            losses -= 1
            throw new Error('ended between commit and acknowledgement')
          }
        },
        signal,
        mostAtOnce,
      ),
  }
}

beforeAll(async () => {
  installation = await startInstallation({ overrides: { connect: forgetful } })
  runner = await startScriptedRunner(installation, 20)
  pool = new pg.Pool({ connectionString: installation.database.url, max: 2 })
})
afterAll(async () => {
  await pool?.end()
  await runner?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

test('in any order of reports, and however often they come, the newest counts and versions only rise', async () => {
  const random = seededRandom(Date.now() % 1_000_000)
  const [id = ''] = runner.machines
  const sequences = random.shuffle(Array.from({ length: 60 }, (_, index) => index + 1))
  await Promise.all(
    [...sequences, ...sequences].map((sequence) =>
      runner.messaging.publishReport(runner.report(id, sequence)),
    ),
  )
  await allTakenIn()
  expect(await outputOf(id)).toBe('after report 60\n')
  await expectEveryVersionOnce(id)
})

test('reports of another runner, an older agent or an unknown generation change nothing', async () => {
  const [, id = '', other = ''] = runner.machines
  const before = await installation.client.environments.get(id)
  for (const [index, changes] of [{ epoch: 7 }, { generation: 9 }].entries())
    await runner.messaging.publishReport(runner.report(id, index + 1, changes))
  await runner.messaging.publishReport(runner.report(other, 1))
  await allTakenIn()
  expect(await installation.client.environments.get(id)).toEqual(before)
  expect(await outputOf(other)).toBe('after report 1\n')
})

test('a report without news makes no event, and still outdates earlier ones', async () => {
  const [, , , id = ''] = runner.machines
  const same = { steps: [createStep('the same\n')] }
  await runner.messaging.publishReport(runner.report(id, 1, same))
  await allTakenIn()
  const { statusVersion } = await installation.client.environments.get(id)
  await runner.messaging.publishReport(runner.report(id, 3, same))
  await allTakenIn()
  await runner.messaging.publishReport(runner.report(id, 2))
  await allTakenIn()
  const after = await installation.client.environments.get(id)
  expect(after.statusVersion).toBe(statusVersion)
  expect(after.status.steps[0]?.output).toBe('the same\n')
})

test('reports that were committed and not acknowledged come again and change nothing', async () => {
  const ids = runner.machines.slice(4, 8)
  losses = 3
  await Promise.all(
    ids.flatMap((id) =>
      [1, 2, 3].map((sequence) => runner.messaging.publishReport(runner.report(id, sequence))),
    ),
  )
  await allTakenIn()
  expect(losses).toBe(0)
  for (const id of ids) {
    expect(await outputOf(id)).toBe('after report 3\n')
    await expectEveryVersionOnce(id)
  }
})

test('text that PostgreSQL cannot store is replaced, and delays nobody', async () => {
  const [bad = '', ...good] = runner.machines.slice(8, 12)
  const binary = { steps: [createStep('a\0b\ud800c\n')] }
  await Promise.all([
    runner.messaging.publishReport(runner.report(bad, 1, binary)),
    ...good.map((id) => runner.messaging.publishReport(runner.report(id, 1))),
  ])
  await allTakenIn()
  expect(await outputOf(bad)).toBe('a\uFFFDb\uFFFDc\n')
  for (const id of good) expect(await outputOf(id)).toBe('after report 1\n')
})

test('a report that can never be applied is recorded and dropped; later ones count', async () => {
  const [bad = '', ...good] = runner.machines.slice(12, 16)
  await refuse(bad)
  await Promise.all([bad, ...good].map((id) => runner.messaging.publishReport(runner.report(id, 1))))
  await allTakenIn()
  for (const id of good) expect(await outputOf(id)).toBe('after report 1\n')
  expect(await outputOf(bad)).toBeUndefined()
  const [job] = (await installation.client.jobs.list({ resourceId: bad })).items
  expect(job?.log.at(-1)?.message).toBe(
    'a report of the runner (phase provisioning, sequence 1) was dropped: it does not fit',
  )
  await pool.query('DROP TRIGGER refuse ON environments')
  await runner.messaging.publishReport(runner.report(bad, 2))
  await allTakenIn()
  expect(await outputOf(bad)).toBe('after report 2\n')
})

test('a claim finds a machine whose report is being applied', async () => {
  const address = { host: '127.0.0.1', port: 2_222, user: 'root', hostKey: newPublicKey() }
  const [, , , , , , , , , id = ''] = runner.machines
  await runner.messaging.publishReport(runner.report(id, 10, { phase: 'running', address }))
  await allTakenIn()
  const { warmPoolId } = (await installation.client.environments.get(id)).spec
  const holder = await pool.connect()
  await holder.query('BEGIN')
  await holder.query("SELECT id FROM environments WHERE phase = 'running' FOR UPDATE")
  const claiming = installation.client.claims.create({
    spec: { warmPoolId: warmPoolId ?? '', fallback: 'refuse', publicKey: newPublicKey() },
  })
  await eventually(claimWaits, { timeoutMilliseconds: 10_000 })
  await holder.query('COMMIT')
  holder.release()
  expect((await claiming).status.environmentId).toBe(id)
})

test('two replicas that share the reports give every machine its newest state, and no version twice', async () => {
  const second = await startReplica(installation)
  const ids = runner.machines.slice(16)
  for (let sequence = 1; sequence <= 50; sequence += 1)
    await Promise.all(ids.map((id) => runner.messaging.publishReport(runner.report(id, sequence))))
  await allTakenIn()
  const taken = await reportsTakenBy(second)
  await second.stop()
  expect(taken).toBeGreaterThan(0)
  for (const id of ids) {
    expect(await outputOf(id)).toBe('after report 50\n')
    await expectEveryVersionOnce(id)
  }
})

async function claimWaits(): Promise<boolean> {
  const { rows } = await pool.query(
    `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'update "environments"%'`,
  )
  return rows.length > 0
}

async function outputOf(id: string): Promise<string | undefined> {
  return (await installation.client.environments.get(id)).status.steps[0]?.output
}

/** Its events, in the order of their positions, have consecutive versions. */
async function expectEveryVersionOnce(id: string): Promise<void> {
  const { statusVersion } = await installation.client.environments.get(id)
  const versions = await eventually(
    async () => {
      const { rows } = await pool.query<{ status_version: number }>(
        'SELECT status_version FROM events WHERE resource_id = $1 AND position IS NOT NULL ORDER BY position',
        [id],
      )
      return rows.at(-1)?.status_version === statusVersion ? rows.map((row) => row.status_version) : null
    },
    { timeoutMilliseconds: 5_000 },
  )
  expect(versions).toEqual(Array.from({ length: statusVersion }, (_, index) => index + 1))
}

async function allTakenIn(): Promise<void> {
  const { nats } = installation
  const credentials = new TextEncoder().encode(nats.controlPlaneCredentials ?? '')
  const connection = await connect({ servers: nats.url, authenticator: credsAuthenticator(credentials) })
  const manager = await jetstreamManager(connection)
  await eventually(
    async () => {
      const { num_pending, num_ack_pending } = await manager.consumers.info(streams.report, reportConsumer)
      return num_pending + num_ack_pending === 0
    },
    { timeoutMilliseconds: 30_000 },
  )
  await connection.close()
}

/** Makes PostgreSQL reject every change of this environment's status as invalid data. */
async function refuse(id: string): Promise<void> {
  await pool.query(`
    CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'it does not fit' USING ERRCODE = '22000'; END $$;
    CREATE TRIGGER refuse BEFORE UPDATE ON environments FOR EACH ROW WHEN (OLD.id = '${id}')
      EXECUTE FUNCTION refuse()`)
}

async function reportsTakenBy({
  controlPlane,
}: {
  controlPlane: Installation['controlPlane']
}): Promise<number> {
  const { values } = await controlPlane.services.metrics.reports.get()
  return values.reduce((sum, { value }) => sum + value, 0)
}
