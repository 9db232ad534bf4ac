import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BindingOrder, EnvironmentOrder, EnvironmentReport } from '@hearth/contract'
import { generateSealingKeyPair, newId, seal } from '@hearth/foundation'
import { sampleOrder, samplePlan } from '@hearth/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Guest, GuestMisbehaved } from '../../guest/guest.ts'
import type { SyntheticSettings } from '../../host/synthetic/settings.ts'
import { type TestAgent, testAgent } from './test-agent.fixture.ts'

const runnerId = newId()
const sealing = generateSealingKeyPair()
let folder: string
const agents: TestAgent[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-binding-'))
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
const claimId = newId()
const order = (change: Partial<EnvironmentOrder> = {}) =>
  sampleOrder({
    id,
    runnerId,
    plan: samplePlan({
      repositories: [{ url: 'https://example.org/shop.git', name: 'shop', branch: null, setup: [] }],
      variables: { GREETING: 'hello', KEPT: 'yes' },
    }),
    ...change,
  })
const binding = (change: Partial<BindingOrder> = {}): BindingOrder => ({
  claimId,
  attempt: 1,
  variables: { GREETING: 'bonjour' },
  secretNames: ['TOKEN'],
  sealedSecrets: seal(JSON.stringify({ TOKEN: 's3cr3t-value' }), sealing.publicKey, id),
  repositories: [{ name: 'shop', ref: 'next' }],
  hostname: 'review',
  startCommand: 'echo s3cr3t-value',
  ...change,
})
const bound =
  (phase: 'running' | 'bound' | 'failed', attempt = 1) =>
  (report: EnvironmentReport) =>
    report.binding?.phase === phase && report.binding.attempt === attempt
const phases = ({ binding: seen }: EnvironmentReport) =>
  Object.fromEntries(seen?.steps.map(({ name, phase }) => [name, phase]) ?? [])
const environmentFile = () => readFileSync(join(folder, id, 'guest-home-.env'), 'utf8')
const bootId = async ({ host }: TestAgent) => (await host.machines.look(id)).identity

async function readyMember(settings: Partial<SyntheticSettings> = {}, change?: (guest: Guest) => Guest) {
  const agent = agentOf(settings, 1, change)
  agent.inbox.put(order())
  await agent.until('running')
  return agent
}

test('a member that runs is bound to its claim step by step, and its secret is in no report, log or record', async () => {
  const agent = await readyMember()
  agent.inbox.put(order({ binding: binding() }))
  const report = await agent.until('running', bound('bound'))
  expect(phases(report)).toEqual({
    bind_variables: 'succeeded',
    bind_hostname: 'succeeded',
    checkout_repo: 'succeeded',
    start_command: 'succeeded',
  })
  expect(report.binding).toMatchObject({ claimId, boundAt: expect.any(String), failure: null })
  expect(environmentFile()).toBe("GREETING='bonjour'\nKEPT='yes'\nTOKEN='s3cr3t-value'\n")
  expect((await bootId(agent))?.hostname).toBe('review')
  expect(agent.reports.every(({ phase }) => ['provisioning', 'running'].includes(phase))).toBe(true)
  expect(JSON.stringify([agent.reports, agent.chunks])).not.toContain('s3cr3t-value')
  const keys = new Set(agent.chunks.map(({ step }) => step))
  for (const key of ['bind_hostname', 'checkout_repo.shop', 'start_command']) expect(keys).toContain(key)
  for (const name of readdirSync(join(folder, id)).filter((each) => each !== 'guest-home-.env'))
    expect(readFileSync(join(folder, id, name), 'utf8'), name).not.toContain('s3cr3t-value')
})

test('an order that is repeated binds nothing twice; one of before the claim takes nothing back', async () => {
  const agent = await readyMember()
  agent.inbox.put(order({ binding: binding() }))
  const first = await agent.until('running', bound('bound'))
  agent.inbox.put(order({ generation: 2, binding: binding() }))
  const again = await agent.until('running', ({ generation }) => generation === 2)
  expect(again.binding).toEqual(first.binding)
  agent.inbox.put(order({ generation: 3 }))
  const without = await agent.until('running', ({ generation }) => generation === 3)
  expect(without.binding).toEqual(first.binding)
})

test('an agent that dies in the middle leaves the rest to the next, which repeats no step', async () => {
  const first = await readyMember({ stepMilliseconds: 300 })
  first.inbox.put(order({ binding: binding() }))
  const before = await first.until('running', (report) => phases(report).checkout_repo === 'running')
  await first.stop()
  const second = agentOf({ stepMilliseconds: 300 }, 2)
  second.inbox.put(order({ epoch: 2, binding: binding() }))
  const after = await second.until('running', bound('bound'))
  const startOf = (report: EnvironmentReport, name: string) =>
    report.binding?.steps.find((step) => step.name === name)?.startedAt
  for (const name of ['bind_variables', 'bind_hostname'])
    expect(startOf(after, name)).toBe(startOf(before, name))
  const entries = readdirSync(join(folder, id)).filter((name) => name.startsWith('step-checkout_repo'))
  expect(entries).toHaveLength(1)
})

test('a step that fails fails the binding by name of repository and reference, and the machine runs on; a newer try binds', async () => {
  const agent = await readyMember({ failures: { checkout_repo: 1 } })
  agent.inbox.put(order({ binding: binding() }))
  const report = await agent.until('running', bound('failed'))
  expect(report.failure).toBeNull()
  expect(report.binding?.failure).toMatchObject({
    code: 'clone_failed',
    step: 'checkout_repo',
    message: 'checkout_repo.shop: "git checkout next of shop" exited with 1',
    lastLines: expect.arrayContaining(['simulated failure, as the settings say']),
  })
  expect(phases(report)).toMatchObject({ checkout_repo: 'failed', start_command: 'pending' })
  await agent.stop()
  const repaired = agentOf({}, 2)
  repaired.inbox.put(order({ epoch: 2, binding: binding() }))
  expect((await repaired.until('running')).binding?.phase).toBe('failed')
  repaired.inbox.put(order({ epoch: 2, binding: binding({ attempt: 2 }) }))
  expect(phases(await repaired.until('running', bound('bound', 2)))).toMatchObject({
    start_command: 'succeeded',
  })
})

test('secrets that were not sealed to this runner, and a guest that misbehaves, fail the binding and not the machine', async () => {
  const agent = await readyMember({}, (guest) => ({
    ...unbound(guest),
    async *runSteps(steps, origin, signal) {
      if (!steps.some(({ key }) => key.startsWith('checkout_repo')))
        yield* guest.runSteps(steps, origin, signal)
      else throw new GuestMisbehaved('the guest answered with more than 4096 bytes')
    },
  }))
  agent.inbox.put(order({ binding: binding({ sealedSecrets: null }) }))
  const unsealed = await agent.until('running', bound('failed'))
  expect(unsealed.binding?.failure?.message).toContain('were not sealed to this runner')
  agent.inbox.put(order({ binding: binding({ attempt: 2 }) }))
  const report = await agent.until('running', bound('failed', 2))
  expect(report.binding?.failure).toMatchObject({ code: 'guest_misbehaved' })
  expect(report.failure).toBeNull()
})

test('one that is suspended in the middle goes on when it is resumed', async () => {
  const agent = await readyMember({ stepMilliseconds: 300 })
  agent.inbox.put(order({ binding: binding() }))
  await agent.until('running', (report) => phases(report).bind_hostname === 'running')
  agent.inbox.put(order({ generation: 2, desiredPhase: 'suspended', binding: binding() }))
  await agent.until('suspended')
  agent.inbox.put(order({ generation: 3, binding: binding() }))
  await agent.until('running', bound('bound'))
})

test('what is bound stays over a stop, and over a machine that is made anew it is bound anew', async () => {
  const agent = await readyMember()
  agent.inbox.put(order({ binding: binding() }))
  const first = await agent.until('running', bound('bound'))
  agent.inbox.put(order({ generation: 2, desiredPhase: 'stopped', binding: binding() }))
  await agent.until('stopped')
  agent.inbox.put(order({ generation: 3, binding: binding() }))
  const again = await agent.until('running')
  expect(again.binding).toEqual(first.binding)
  expect(again.identity?.hostname).toBe('review')
  expect(environmentFile()).toContain('TOKEN')
})

test('repositories that the machine was made without fail by name', async () => {
  const agent = await readyMember({ failures: { checkout_repo: 1 } })
  agent.inbox.put(order({ binding: binding({ repositories: [{ name: 'other', ref: 'next' }] }) }))
  const report = await agent.until('running', bound('failed'))
  expect(report.binding?.failure?.message).toContain('git checkout of other')
})

test('nothing is bound that was not asked for', async () => {
  const agent = await readyMember()
  const none = { variables: {}, secretNames: [], sealedSecrets: null, repositories: [], startCommand: null }
  agent.inbox.put(order({ binding: binding({ ...none, hostname: 'only-this' }) }))
  expect(phases(await agent.until('running', bound('bound')))).toEqual({ bind_hostname: 'succeeded' })
  expect(environmentFile()).toBe("GREETING='hello'\nKEPT='yes'\n")
  expect(existsSync(join(folder, id, 'guest-home-.env.new'))).toBe(false)
})

/** The guest's methods, bound to it. */
function unbound(guest: Guest): Guest {
  return {
    processes: guest.processes,
    calls: guest.calls,
    volumes: guest.volumes,
    inputs: guest.inputs,
    connections: guest.connections,
    identify: (...given) => guest.identify(...given),
    takeIdentity: (...given) => guest.takeIdentity(...given),
    awaitOwnSetUp: (...given) => guest.awaitOwnSetUp(...given),
    scrub: (...given) => guest.scrub(...given),
    sync: (...given) => guest.sync(...given),
    writePrivateFile: (...given) => guest.writePrivateFile(...given),
    writeFileForStep: (...given) => guest.writeFileForStep(...given),
    readFiles: (...given) => guest.readFiles(...given),
    runSteps: (...given) => guest.runSteps(...given),
    shutDown: (...given) => guest.shutDown(...given),
    close: () => guest.close(),
  }
}
