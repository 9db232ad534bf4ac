import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EnvironmentOrder, EnvironmentReport } from '@hearth/contract'
import { generateSealingKeyPair, newId, seal } from '@hearth/foundation'
import { sampleOrder, samplePlan } from '@hearth/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Guest, StaleInGuest } from '../../guest/guest.ts'
import type { SyntheticSettings } from '../../host/synthetic/settings.ts'
import { type TestAgent, testAgent } from './test-agent.fixture.ts'

const runnerId = newId()
const sealing = generateSealingKeyPair()
let folder: string
const agents: TestAgent[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-worker-'))
})
afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.stop()
  await rm(folder, { recursive: true, force: true })
})

function agentOf(
  settings: Partial<SyntheticSettings> = {},
  epoch = 1,
  change: (guest: Guest) => Guest = (guest) => guest,
): TestAgent {
  const agent = testAgent({ folder, runnerId, sealingKey: sealing.privateKey, settings, epoch, change })
  agents.push(agent)
  return agent
}

const id = newId()
const order = (change: Partial<EnvironmentOrder> = {}) =>
  sampleOrder({
    id,
    runnerId,
    plan: samplePlan({
      repositories: [{ url: 'https://example.org/shop.git', name: 'shop', branch: null, setup: [] }],
      variables: { GREETING: 'hello' },
      secretNames: ['TOKEN'],
      projectSetup: [{ name: 'install', command: 'echo s3cr3t-value' }],
    }),
    sealedSecrets: seal(JSON.stringify({ TOKEN: 's3cr3t-value' }), sealing.publicKey, id),
    ...change,
  })
const phases = (report: EnvironmentReport) =>
  Object.fromEntries(report.steps.map(({ name, phase }) => [name, phase]))

test('an order brings a machine through every step to running, without a secret in reports or log', async () => {
  const agent = agentOf()
  agent.inbox.put(order())
  const report = await agent.until('running')
  expect(phases(report)).toEqual({
    create_vm: 'succeeded',
    ensure_server: 'succeeded',
    set_env_vars: 'succeeded',
    clone_repo: 'succeeded',
    init_repo: 'skipped',
    project_setup: 'succeeded',
    repo_setup: 'skipped',
    warm_pool_setup: 'skipped',
  })
  expect(report.identity).toMatchObject({ hostKeyMatches: true, randomSeedFresh: true })
  expect(report.address?.host).toBe('127.0.0.1')
  expect(JSON.stringify([agent.reports, agent.chunks])).not.toContain('s3cr3t-value')
  expect(report.steps.find(({ name }) => name === 'project_setup')?.output).toContain('simulated: echo ***')
})

test('a step that was running when the agent died goes on under the next agent and is not repeated', async () => {
  const first = agentOf({ stepMilliseconds: 400 })
  first.inbox.put(order())
  const before = await first.until('provisioning', (report) => phases(report).project_setup === 'running')
  await first.stop()
  const second = agentOf({ stepMilliseconds: 400 }, 2)
  second.inbox.put(order({ epoch: 2 }))
  const after = await second.until('running')
  const startOf = (report: EnvironmentReport, name: string) =>
    Date.parse(report.steps.find((step) => step.name === name)?.startedAt ?? '')
  expect(startOf(after, 'clone_repo')).toBe(startOf(before, 'clone_repo'))
  expect(startOf(after, 'project_setup')).toBeLessThan(Date.parse(before.reportedAt) + 100)
  expect(second.reports.some((report) => phases(report).create_vm !== 'succeeded')).toBe(false)
})

test('a failed step fails the environment with cause, command and last lines; a newer order starts over', async () => {
  const agent = agentOf({ failures: { project_setup: 1 } })
  agent.inbox.put(order())
  const report = await agent.until('failed')
  expect(report.failure).toMatchObject({
    code: 'command_failed',
    step: 'project_setup',
    message: 'project_setup: "install" exited with 1',
    lastLines: ['==> install', 'simulated: echo ***', 'simulated failure, as the settings say'],
  })
  expect(phases(report)).toMatchObject({ project_setup: 'failed', repo_setup: 'skipped' })
  await agent.stop()
  const repaired = agentOf({}, 2)
  repaired.inbox.put(order({ epoch: 2, generation: 2 }))
  expect(phases(await repaired.until('running'))).toMatchObject({ project_setup: 'succeeded' })
})

test('stopping and starting keeps the machine and checks the guest again', async () => {
  const agent = agentOf()
  agent.inbox.put(order())
  const first = await agent.until('running')
  agent.inbox.put(order({ generation: 2, desiredPhase: 'stopped' }))
  await agent.until('stopped')
  agent.inbox.put(order({ generation: 3 }))
  const second = await agent.until('running')
  expect(agent.reports.some(({ phase }) => phase === 'starting')).toBe(true)
  expect(second.address).toEqual(first.address)
  expect(Date.parse(second.identity?.checkedAt ?? '')).toBeGreaterThan(
    Date.parse(first.identity?.checkedAt ?? ''),
  )
  expect(second.steps).toEqual(first.steps)
})

test('a machine that crashes after it was ready is reported failed', async () => {
  const agent = agentOf()
  agent.inbox.put(order())
  await agent.until('running')
  await agent.host.machines.crash(id)
  expect((await agent.until('failed')).failure).toEqual({
    code: 'guest_unreachable',
    message: 'QEMU was killed or crashed on the host',
  })
})

test('deleting in the middle of a step interrupts it and leaves nothing', async () => {
  const agent = agentOf({ stepMilliseconds: 60_000 })
  agent.inbox.put(order())
  await agent.until('provisioning', (report) => phases(report).clone_repo === 'running')
  agent.inbox.put(order({ generation: 2, desiredPhase: 'deleted' }))
  await agent.until('deleted')
  expect(await readdir(folder)).toEqual([])
})

test('an agent ends, and takes a newer order, though nobody stores its report of a removal', async () => {
  const never = new Promise<void>(() => undefined)
  const agent = testAgent({
    ...{ folder, runnerId, sealingKey: sealing.privateKey },
    storeReport: ({ phase }) => (phase === 'deleted' ? never : Promise.resolve()),
  })
  agent.inbox.put(order())
  await agent.until('running')
  agent.inbox.put(order({ generation: 2, desiredPhase: 'deleted' }))
  await agent.until('deleted')
  agent.inbox.put(order({ generation: 3, desiredPhase: 'running' }))
  await vi.waitFor(async () => expect(await readdir(folder)).toEqual([id]))
  agent.inbox.put(order({ generation: 4, desiredPhase: 'deleted' }))
  await vi.waitFor(async () => expect(await readdir(folder)).toEqual([]))
  await agent.stop()
})

test('orders of an older epoch or generation, or of another runner, are refused', async () => {
  const agent = agentOf({}, 5)
  expect(agent.inbox.put(order({ epoch: 4 }))).toBe('older_epoch')
  expect(agent.inbox.put(order({ epoch: 6 }))).toBe('superseded')
  expect(agent.inbox.put(order({ epoch: 5, runnerId: newId() }))).toBe('other_runner')
  expect(agent.inbox.put(order({ epoch: 5, generation: 2 }))).toBe('taken')
  expect(agent.inbox.put(order({ epoch: 5, generation: 1, desiredPhase: 'deleted' }))).toBe(
    'older_generation',
  )
  await agent.until('running')
})

test('an order older than the numbers on the machine does nothing', async () => {
  const first = agentOf()
  first.inbox.put(order({ generation: 7 }))
  await first.until('running')
  await first.stop()
  const second = agentOf({}, 2)
  second.inbox.put(order({ epoch: 2, generation: 6, desiredPhase: 'deleted' }))
  await second.stop()
  expect((await second.host.machines.look(id)).power).toBe('running')
  expect(second.reports).toEqual([])
})

test('a missing image is named in the failure', async () => {
  const agent = agentOf()
  const given = order()
  agent.inbox.put({ ...given, plan: { ...given.plan, image: 'windows' } })
  expect((await agent.until('failed')).failure).toMatchObject({ code: 'image_missing', step: 'create_vm' })
})

test('a failure that the host cannot store is reported all the same, and stored when it can be', async () => {
  const agent = agentOf()
  const { keepRecord } = agent.host.machines
  let refused = 0
  const diskFull = async () => {
    refused += 1
    throw new Error('ENOSPC: no space left on device, write')
  }
  agent.host.machines.keepRecord = diskFull
  agent.inbox.put(order())
  const told = await agent.until('failed')
  expect(told.failure?.message).toBe('ENOSPC: no space left on device, write')
  // A failure that cannot be stored is retried for a while: the disk may have space again in a moment.
  expect(refused).toBeGreaterThan(3)
  agent.host.machines.keepRecord = keepRecord
  await expect.poll(async () => (await agent.host.machines.look(id)).record).toContain('ENOSPC')
  expect(agent.reports.at(-1)?.phase).toBe('failed')
  agent.inbox.put(order({ generation: 2 }))
  await agent.until('running')
})

test('a newer order is carried out even if the failure before it was never stored', async () => {
  const agent = agentOf()
  const { keepRecord } = agent.host.machines
  agent.host.machines.keepRecord = () => Promise.reject(new Error('ENOSPC: no space left on device, write'))
  agent.inbox.put(order())
  await agent.until('failed')
  agent.host.machines.keepRecord = keepRecord
  agent.inbox.put(order({ generation: 2, desiredPhase: 'deleted' }))
  await agent.until('deleted')
  expect(await readdir(folder)).toEqual([])
})

test('a ready machine that crashes, or whose host is rebooted, starts again and says why', async () => {
  const agent = agentOf()
  agent.inbox.put(order({ onCrash: 'restart' }))
  const { address } = await agent.until('running')
  await agent.host.machines.crash(id)
  const again = await agent.until('running', ({ restarts }) => restarts?.count === 1)
  expect(again.restarts?.cause).toBe('QEMU was killed or crashed on the host')
  expect(again.address).toEqual(address)
  expect(again.failure).toBeNull()
  await agent.host.machines.reboot()
  const rebooted = await agent.until('running', ({ restarts }) => restarts?.count === 2)
  expect(rebooted.restarts?.cause).toBe('the host rebooted')
  expect(agent.reports.some(({ phase }) => phase === 'failed')).toBe(false)
})

test('a machine that keeps crashing fails after five restarts within an hour', async () => {
  const agent = agentOf()
  agent.inbox.put(order({ onCrash: 'restart' }))
  await agent.until('running')
  for (let count = 1; count <= 5; count += 1) {
    await agent.host.machines.crash(id, 'kernel_panicked')
    await agent.until('running', ({ restarts }) => restarts?.count === count)
  }
  await agent.host.machines.crash(id, 'kernel_panicked')
  const { failure } = await agent.until('failed')
  expect(failure?.message).toBe(
    'the guest’s kernel panicked; it was started again 5 times within an hour, which is the most',
  )
})

test.each([
  ['its guest shut it down', 'guest_shut_down', 'restart'],
  ['its project wants it to fail', 'hypervisor_gone', 'fail'],
] as const)('a ready machine that goes off is not started again where %s', async (_, reason, onCrash) => {
  const agent = agentOf()
  agent.inbox.put(order({ onCrash }))
  await agent.until('running')
  await agent.host.machines.crash(id, reason)
  expect((await agent.until('failed')).restarts).toBeNull()
})

test('a waiting step ends with its machine, with the cause', async () => {
  const agent = agentOf({ stepMilliseconds: 3_600_000 })
  agent.inbox.put(order())
  await agent.until('provisioning', ({ steps }) =>
    steps.some(({ name, phase }) => name === 'clone_repo' && phase === 'running'),
  )
  await agent.host.machines.crash(id)
  const { failure, steps } = await agent.until('failed')
  expect(failure?.message).toBe('QEMU was killed or crashed on the host during clone_repo.shop')
  expect(steps.find(({ name }) => name === 'clone_repo')).toMatchObject({ phase: 'failed' })
  // The step's log has ended too, so nobody who follows it keeps waiting.
  await expect
    .poll(() => agent.chunks.filter(({ end }) => end).map(({ step }) => step))
    .toContain('clone_repo.shop')
})

test('waiting for the guest’s first answer ends with its machine', async () => {
  const agent = agentOf({ bootMilliseconds: 3_600_000 })
  agent.inbox.put(order())
  await agent.until('provisioning', ({ steps }) =>
    steps.some(({ name, phase }) => name === 'ensure_server' && phase === 'running'),
  )
  await agent.host.machines.crash(id)
  expect((await agent.until('failed')).failure?.message).toBe(
    'QEMU was killed or crashed on the host during ensure_server',
  )
})

test('a guest that claims a newer lease fails alone: its agent keeps its own lease', async () => {
  const lying = (guest: Guest): Guest =>
    new Proxy(guest, {
      get: (target, name) =>
        name === 'runSteps'
          ? () => {
              throw new StaleInGuest({ epoch: 3_000_000, generation: 1 }, { epoch: 1, generation: 1 })
            }
          : Reflect.get(target, name).bind(target),
    })
  const agent = agentOf({}, 1, lying)
  agent.inbox.put(order())
  const { failure } = await agent.until('failed')
  expect(failure).toMatchObject({ code: 'guest_misbehaved' })
  expect(failure?.message).toContain('it shows epoch 3000000')
  const other = { ...order(), id: newId(), desiredPhase: 'deleted' as const }
  agent.inbox.put(other)
  expect((await agent.until('deleted')).id).toBe(other.id)
})
