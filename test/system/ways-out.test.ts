import {
  type EnvironmentPhase,
  environmentPhases,
  environmentPhaseTable,
  waitingTable,
} from '@hearth/contract'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { untilEnvironment } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'

let installation: Installation
let sql: pg.Client
let runnerId: string
let spec: { projectId: string; environmentClassId: string }

beforeAll(async () => {
  installation = await startInstallation()
  const { client } = installation
  sql = new pg.Client({ connectionString: installation.database.url })
  await sql.connect()
  // A runner that is present and does nothing: whatever waits for it waits for ever.
  const { runner } = await client.runners.create({
    name: 'idle',
    labels: {},
    spec: { scheduling: 'cordoned' },
  })
  runnerId = runner.metadata.id
  await sql.query(
    "UPDATE runners SET phase = 'active', epoch = 1, last_seen_at = now() + interval '1 day' WHERE id = $1",
    [runnerId],
  )
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name: 'exits' })
  const [environmentClass] = await client.environmentClasses.listAll({})
  spec = { projectId, environmentClassId: environmentClass?.metadata.id ?? '' }
})
afterAll(async () => {
  await sql?.end()
  await installation?.[Symbol.asyncDispose]()
})

/** An environment set to this phase as if its runner had reported it. */
async function machineIn(phase: EnvironmentPhase): Promise<string> {
  const { metadata } = await installation.client.environments.create({ spec })
  const { id } = metadata
  const { deadlineSeconds } = environmentPhaseTable[phase]
  await sql.query(
    `UPDATE environments SET phase = $2, runner_id = $3, status_version = status_version + 1, phase_since = now(),
       desired_phase = CASE $2 WHEN 'deleting' THEN 'deleted' WHEN 'deleted' THEN 'deleted' WHEN 'stopped' THEN 'stopped' ELSE 'running' END,
       deadline = now() + $4 * interval '1 second',
       status = status || CASE WHEN $2 IN ('pending', 'provisioning') THEN '{}' ELSE jsonb_build_object('readyAt', $5::text) END
     WHERE id = $1`,
    [id, phase, phase === 'pending' ? null : runnerId, deadlineSeconds, new Date().toISOString()],
  )
  return id
}

const phaseOf = async (id: string) => (await installation.client.environments.get(id)).status.phase

test.each(environmentPhases)('%s: retry continues, and repeating it changes nothing more', async (phase) => {
  const { client } = installation
  const id = await machineIn(phase)
  if (phase === 'deleted') {
    for (const _ of [1, 2])
      await expect(client.environments.retry(id)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('make another'),
      })
    return
  }
  await client.environments.retry(id)
  const once = await client.environments.get(id)
  await client.environments.retry(id)
  const twice = await client.environments.get(id)
  expect(twice.status.phase).toBe(once.status.phase)
  expect(twice.specVersion).toBe(once.specVersion)
  expect(once.status.phase).toBe(phase === 'failed' ? 'starting' : phase)
})

test.each(environmentPhases)(
  '%s: delete is on its way or done, and repeated changes nothing more',
  async (phase) => {
    const { client } = installation
    const id = await machineIn(phase)
    await client.environments.delete(id)
    const going = await untilEnvironment(client, id, ({ status }) =>
      [phase === 'pending' ? 'deleted' : 'deleting', 'deleted'].includes(status.phase),
    )
    if (phase !== 'deleted' && phase !== 'deleting')
      expect(going.status.deletion).toMatchObject({ reason: 'requested' })
    await client.environments.delete(id)
    const again = await client.environments.get(id)
    expect(again.specVersion).toBe(going.specVersion)
    expect(again.status.phase).toBe(going.status.phase)
  },
)

test.each(environmentPhases)('%s: delete by force ends at once, also when repeated', async (phase) => {
  const { client } = installation
  const id = await machineIn(phase)
  for (const _ of [1, 2]) {
    await client.environments.delete(id, { force: true })
    expect(await phaseOf(id)).toBe('deleted')
  }
})

test.each(environmentPhases)('%s: says why in a sentence', async (phase) => {
  const why = await installation.client.environments.why(await machineIn(phase))
  expect(why).toMatchObject({ phase: expect.any(String), sentence: expect.stringMatching(/\w{2,}/) })
})

test('every wait whose deadline passes records its cause', async () => {
  const { client } = installation
  const waiting = environmentPhases.filter((phase) => environmentPhaseTable[phase].deadlineSeconds !== null)
  for (const phase of waiting) {
    const id = await machineIn(phase)
    await sql.query("UPDATE environments SET deadline = now() - interval '1 second' WHERE id = $1", [id])
    await sql.query(
      "SELECT graphile_worker.add_job('reconcile', json_build_object('kind', 'environment', 'id', $1::text))",
      [id],
    )
    const { status } = await untilEnvironment(client, id, (seen) => seen.status.failure !== null)
    expect(status.failure?.message).toContain(environmentPhaseTable[phase].waitsFor)
    expect(status.phase).toBe(phase === 'deleting' ? 'deleting' : 'failed')
  }
})

test('a project that cannot be deleted says what keeps it', async () => {
  const { client } = installation
  const id = await machineIn('running')
  await client.projects.delete(spec.projectId)
  await untilEnvironment(client, id, ({ status }) => status.phase === 'deleting')
  const reason = (await client.environments.get(id)).status.deletion?.reason
  expect(reason).toBe('project_deleted')
  await sql.query(
    `UPDATE projects SET status = jsonb_set(status, '{deadline}', to_jsonb(now() - interval '1 second')) WHERE id = $1`,
    [spec.projectId],
  )
  // Another request makes the reconciler look at it.
  await client.projects.delete(spec.projectId)
  await expect
    .poll(async () => (await client.projects.get(spec.projectId)).status.failure?.message, {
      timeout: 10_000,
    })
    .toContain('it still waits for the environments')
})

test('every phase of every kind has a deadline, or says why it may wait for ever', () => {
  for (const phases of Object.values(waitingTable)) {
    for (const wait of Object.values(phases)) {
      if (wait.waitsFor === null) continue
      if (wait.deadlineSeconds === null) expect(wait.because).toMatch(/\w{3,} \w+/)
      else expect(wait.deadlineSeconds).toBeGreaterThan(0)
    }
  }
})
