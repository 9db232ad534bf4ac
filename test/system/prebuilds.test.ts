import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newId } from '@hearth/foundation'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { housekeeping } from './housekeeping.ts'
import { type Installation, startInstallation } from './installation.ts'
import { endTimeOf, layersOf, machinesOf, untilPhase, untilPrebuild } from './prebuild-installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** The shipped control plane and agents: one that is quick, one whose steps take long, one whose steps fail. */
let installation: Installation
let quick: SyntheticAgent
let slow: SyntheticAgent
let failing: SyntheticAgent
let offset = 0

beforeAll(async () => {
  installation = await startInstallation({
    overrides: { clock: { now: () => new Date(Date.now() + offset) } },
  })
  // A step is acted on while it runs.
  const timings = { heartbeat: 200, pausedMachines: 100, progressReport: 0 }
  const start = (name: string, environment: Record<string, string>) =>
    startSyntheticAgent(installation, { name, labels: { kind: name }, timings, environment })
  quick = await start('quick', {})
  slow = await start('slow', {
    HEARTH_SYNTHETIC_STEP_MILLISECONDS: '700',
    HEARTH_SYNTHETIC_FREEZE_MILLISECONDS: '1500',
  })
  failing = await start('failing', { HEARTH_SYNTHETIC_FAILURES: 'project_setup:1' })
  const size = { virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 4, image: 'debian-12' }
  for (const kind of ['quick', 'slow', 'failing', 'nowhere'])
    await installation.client.environmentClasses.create({
      name: kind,
      spec: { ...size, runnerSelector: { kind } },
    })
}, 60_000)
afterAll(async () => {
  for (const agent of [quick, slow, failing]) await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const password = 'a password that nobody may find'

async function project(secrets: Record<string, string> = {}): Promise<string> {
  const { projectId } = await installation.client.apply({
    apiVersion: 'hearth/v1',
    name: `p-${newId()}`.slice(0, 40),
    setup: ['make', 'make check'],
    variables: { LOGIN: `login:${password}` },
    secrets,
  })
  return projectId
}

async function run(environmentClassId: string, projectId?: string): Promise<string> {
  const spec = { projectId: projectId ?? (await project()), environmentClassId, timeoutSeconds: 300 }
  return (await installation.client.prebuilds.create({ spec })).metadata.id
}

async function logOf(id: string): Promise<string> {
  let text = ''
  for await (const piece of installation.client.prebuilds.log(id)) text += piece
  return text
}

test('a prebuild is built on a machine of its own, scrubbed, frozen and searched, and its log stays', async () => {
  const { client, url } = installation
  const id = await run('quick', await project({ PASSWORD: password }))
  const completed = await untilPhase(installation, id, 'completed')
  const { status } = completed
  expect(status).toMatchObject({ failure: null, warnings: [], deadline: null })
  expect(status.bytes).toBeGreaterThan(0)
  expect(status.steps.map(({ name, phase }) => `${name} ${phase}`)).toEqual([
    'create_vm succeeded',
    'ensure_server succeeded',
    'set_env_vars succeeded',
    'project_setup succeeded',
    'warm_pool_setup skipped',
  ])
  const snapshot = await client.resources('Snapshot').get(status.snapshotId ?? '')
  expect(snapshot.metadata.name).toBe(completed.metadata.name)
  expect(snapshot.status.heldSteps).toEqual(['project_setup', 'warm_pool_setup'])
  await expect.poll(() => machinesOf(quick), { timeout: 20_000 }).toEqual([])
  expect(layersOf(quick)).toContain(snapshot.metadata.id)
  // Neither the variable that holds it nor what the machine remembers of its steps is in the disk.
  const disk = readFileSync(join(quick.stateFolder, 'layers', snapshot.metadata.id, 'disk'), 'latin1')
  for (const text of [password, 'project_setup', 'epoch']) expect(disk).not.toContain(text)

  // While the runner's stream has it, and when it was kept.
  const log = await logOf(id)
  expect(log).toContain('== project_setup\n==> make\nsimulated: make\n')
  offset += 11_000
  await housekeeping(installation)
  expect(await logOf(id)).toBe(log)
  const { path, token } = await client.prebuilds.logToken(id)
  const read = (address: string, headers: Record<string, string> = {}) =>
    fetch(`${url}${address}`, { headers })
  expect(await (await read(path)).text()).toBe(log)
  const without = path.replace(/\?.*/, '')
  expect(await (await read(without, { Authorization: `Bearer ${token}` })).text()).toBe(log)
  expect((await read(without)).status).toBe(401)
  const another = await client.prebuilds.logToken(await run('nowhere'))
  expect((await read(`${without}?token=${another.token}`)).status).toBe(401)
})

test('a secret that the set-up writes into the disk fails the prebuild, and nothing of it stays', async () => {
  const before = layersOf(quick)
  const id = await run('slow', await project({ PASSWORD: password }))
  await untilPrebuild(installation, id, ({ status }) =>
    status.steps.some(({ name, phase }) => name === 'project_setup' && phase === 'running'),
  )
  const [machine = ''] = machinesOf(slow)
  const encoded = Buffer.from(`login:${password}`).toString('base64')
  writeFileSync(join(slow.stateFolder, 'environments', machine, 'guest-root-.config'), `auth = ${encoded}\n`)
  const failed = await untilPrebuild(installation, id, ({ status }) => status.phase === 'failed')
  expect(failed.status.failure).toMatchObject({ code: 'secret_found' })
  expect(failed.status.failure?.message).toMatch(/secret PASSWORD .* at byte \d+ of the file/)
  expect(JSON.stringify(failed)).not.toContain(password)
  await expect.poll(() => machinesOf(slow), { timeout: 20_000 }).toEqual([])
  await expect.poll(() => layersOf(slow), { timeout: 20_000 }).toEqual([])
  expect(layersOf(quick)).toEqual(before)
})

test('a prebuild whose set-up fails says which step, and its machine goes', async () => {
  const id = await run('failing')
  const failed = await untilPrebuild(installation, id, ({ status }) => status.phase === 'failed')
  expect(failed.status.failure).toMatchObject({ code: 'command_failed', step: 'project_setup' })
  expect(failed.status.steps.find(({ name }) => name === 'project_setup')?.phase).toBe('failed')
  await expect.poll(() => machinesOf(failing), { timeout: 20_000 }).toEqual([])
  expect(layersOf(failing)).toEqual([])
  expect(await logOf(id)).toContain('simulated failure')
  const why = await installation.client.prebuilds.why(id)
  expect(why.sentence).toContain('it failed: ')
})

test('a prebuild whose time is over fails in the phase it has, and its machine goes', async () => {
  const id = await run('slow')
  await untilPhase(installation, id, 'running')
  await endTimeOf(installation, id)
  const failed = await untilPrebuild(installation, id, ({ status }) => status.phase === 'failed')
  expect(failed.status.failure).toEqual({
    code: 'deadline_passed',
    message:
      'it was running and waited for the steps of the project, and the tasks that prebuilds run, to end until its time of 5 minutes was over',
  })
  await expect.poll(() => machinesOf(slow), { timeout: 20_000 }).toEqual([])
})

test.each(['pending', 'starting', 'running', 'stopping', 'snapshotting'] as const)(
  'a prebuild that is cancelled while it is %s leaves nothing behind',
  async (phase) => {
    const { client } = installation
    const at = await project()
    const environmentClass = phase === 'pending' || phase === 'starting' ? 'nowhere' : 'slow'
    const first = await run(environmentClass, at)
    const id = phase === 'pending' ? await run(environmentClass, at) : first
    await untilPhase(installation, id, phase)
    await client.prebuilds.cancel(id)
    const cancelled = await untilPhase(installation, id, 'cancelled')
    expect(cancelled.status).toMatchObject({ failure: null, deadline: null })
    await expect.poll(() => machinesOf(slow), { timeout: 20_000 }).toEqual([])
    expect(layersOf(slow)).toEqual([])
    if (first !== id) await client.prebuilds.cancel(first)
    await expect(client.prebuilds.cancel(cancelled.metadata.id)).resolves.toMatchObject({
      status: { phase: 'cancelled' },
    })
  },
)

test('a prebuild that is deleted takes its snapshot with it', async () => {
  const id = await run('quick')
  const { status } = await untilPhase(installation, id, 'completed')
  expect(layersOf(quick)).toContain(status.snapshotId)
  await installation.client.prebuilds.delete(id)
  await untilPhase(installation, id, 'deleted')
  expect(layersOf(quick)).not.toContain(status.snapshotId)
})

test('the token of a log is over after an hour', async () => {
  const { client, url } = installation
  const { path } = await client.prebuilds.logToken(await run('nowhere'))
  expect((await fetch(`${url}${path}`)).status).toBe(200)
  offset += 3_601_000
  expect((await fetch(`${url}${path}`)).status).toBe(401)
})
