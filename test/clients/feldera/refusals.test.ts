import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, startInstallation } from '../../system/installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from '../../system/synthetic-agent.ts'
import { at, type FelderaWorld, felderaWorld, refused } from './world.ts'

/** What is asked for in a state that does not admit it gets that system's code, its status and a body as described. */
let installation: Installation
let agent: SyntheticAgent
let world: FelderaWorld

beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, { name: 'rack-1' })
  world = felderaWorld(installation)
}, 60_000)
afterAll(async () => {
  await agent?.stop()
  await installation?.[Symbol.asyncDispose]()
})

const requests = {
  start: (name: string) => world.ask(name, 'start', { dismiss_error: false }),
  startPaused: (name: string) => world.ask(name, 'start', { initial: 'paused' }),
  startStandby: (name: string) => world.ask(name, 'start', { initial: 'standby' }),
  startFlying: (name: string) => world.ask(name, 'start', { initial: 'flying' }),
  startAllowed: (name: string) => world.ask(name, 'start', { bootstrap_policy: 'allow' }),
  startTwofold: (name: string) =>
    world.ask(name, 'start', { silent_bootstrap: true, concurrent_bootstrap: true }),
  stop: (name: string) => world.ask(name, 'stop'),
  pause: (name: string) => world.ask(name, 'pause'),
  resume: (name: string) => world.ask(name, 'resume'),
  activate: (name: string) => world.ask(name, 'activate', { initial: 'paused' }),
  approve: (name: string) => world.ask(name, 'approve'),
  clear: (name: string) => world.ask(name, 'clear'),
  dismiss: (name: string) => world.ask(name, 'dismiss_error'),
  describe: (name: string) => world.patch(name, { description: 'another' }),
  resize: (name: string) => world.patch(name, { runtime_config: { workers: 3 } }),
  remove: (name: string) => world.remove(name),
}
type Request = keyof typeof requests
type Answers = Partial<Record<Request, readonly [number, string?]>>

/** What no refused request changes. */
async function keptOf(name: string) {
  const status = await world.status(name)
  const { version, description, storage_status } = status
  const { deployment_desired_status, deployment_runtime_desired_status } = status
  return {
    ...{ version, description, storage_status },
    ...{ deployment_desired_status, deployment_runtime_desired_status },
  }
}
/** Asks for each, and says what was answered. */
async function answersOf(name: string, expected: Answers): Promise<Answers> {
  const answers: Answers = {}
  for (const request of Object.keys(expected) as Request[]) {
    const [status, code] = refused(await requests[request](name))
    answers[request] = code === undefined ? [status as number] : [status as number, code as string]
  }
  return answers
}
async function expectAnswers(name: string, expected: Answers): Promise<void> {
  const before = await keptOf(name)
  expect(await answersOf(name, expected)).toEqual(expected)
  expect(await keptOf(name)).toEqual(before)
}

const notDeployed = [503, 'PipelineInteractionNotDeployed'] as const
const illegal = [400, 'IllegalPipelineAction'] as const
const untold = { pause: notDeployed, resume: notDeployed, activate: notDeployed, approve: notDeployed }
const unstopped = {
  clear: [400, 'StorageStatusImmutableUnlessStopped'],
  describe: [400, 'UpdateRestrictedToStopped'],
  resize: [400, 'UpdateRestrictedToStopped'],
  remove: [400, 'DeleteRestrictedToFullyStopped'],
} as const
const flying = { startFlying: [405, 'UnsupportedPipelineAction'] } as const

test('of one that is not there', async () => {
  const all = Object.keys(requests).filter((request) => request !== 'startFlying') as Request[]
  const expected = Object.fromEntries(all.map((request) => [request, [404, 'UnknownPipelineName']]))
  expect(await answersOf('absent', expected)).toEqual(expected)
})

test('of one that is stopped, with and without what it stored', async () => {
  const name = await world.made({}, {}, { takesStandby: false })
  const never: Answers = {
    ...{ ...untold, ...flying },
    startTwofold: [400, 'InvalidBootstrap'],
    startStandby: [400, 'InitialStandbyNotAllowed'],
  }
  await expectAnswers(name, { ...never, stop: [202], clear: [202], dismiss: [200] })
  await world.started(name)
  await world.stopped(name)
  await expectAnswers(name, {
    ...never,
    resize: [400, 'EditRestrictedToClearedStorage'],
    remove: [400, 'DeleteRestrictedToClearedStorage'],
  })
})

test('of one whose program does not compile, or that stopped with an error', async () => {
  const faulty = await world.made({}, { check: 'exit 1' })
  await world.untilProgram(faulty, 'SqlError')
  await expectAnswers(faulty, { start: [400, 'CannotStartWithCompilationError'], ...untold })
  const running = JSON.stringify({ desired: 'running', bootstrap: 'await_approval', isApproved: false })
  const ended = await world.made({ more: [`# simulated: on ${running} after 0.1 exit 3`] })
  await world.ask(ended, 'start')
  await world.poll(ended, (seen) => seen.deployment_status === 'Stopped' && seen.deployment_error !== null)
  await expectAnswers(ended, { start: [400, 'CannotStartWithUndismissedError'], ...untold })
})

test('of one that waits for its machine, and when its time for that is over', async () => {
  const name = await world.made()
  const hasty = await world.made({}, {}, { provisioningSeconds: 1 })
  for (const one of [name, hasty]) await world.untilProgram(one, 'Success')
  await world.whileCordoned('rack-1', async () => {
    for (const one of [name, hasty]) await world.ask(one, 'start')
    await world.untilStatus(name, 'Provisioning')
    await expectAnswers(name, {
      ...{ ...untold, ...unstopped, ...flying, start: [202], dismiss: [200] },
      startPaused: [400, 'InitialImmutableUnlessStopped'],
      startStandby: [400, 'InitialImmutableUnlessStopped'],
      startAllowed: [400, 'BootstrapPolicyImmutableUnlessStopped'],
    })
    await world.stopped(name)
    const { deployment_error } = await world.poll(hasty, (seen) => seen.deployment_error !== null)
    expect(deployment_error).toMatchObject({ error_code: 'ProvisioningTimeout', details: { seconds: 1 } })
  })
})

test('of one that runs, of a standby, and of one that is being suspended', async () => {
  const name = await world.made({ isStubborn: true })
  await world.started(name)
  await expectAnswers(name, {
    ...{ ...unstopped, ...flying, start: [202], resume: [202], dismiss: [200] },
    ...{ activate: illegal, approve: illegal },
    startPaused: [400, 'InitialImmutableUnlessStopped'],
    startAllowed: [400, 'BootstrapPolicyImmutableUnlessStopped'],
  })
  await world.ask(name, 'stop')
  await expectAnswers(name, {
    ...{ ...unstopped, start: illegal, startPaused: illegal, startAllowed: illegal, stop: [202] },
    ...{ pause: illegal, resume: illegal, activate: illegal, approve: illegal },
  })
  await world.stopped(name)
  const standby = await world.made()
  await world.started(standby, { initial: 'standby' }, 'Standby')
  await expectAnswers(standby, {
    ...{ ...unstopped, startStandby: [202], pause: illegal, resume: illegal, approve: illegal },
    stop: [405, 'UnsupportedPipelineAction'],
    startPaused: [400, 'InitialImmutableUnlessStopped'],
  })
  await world.stopped(standby)
})

test('of one that is stopping, and of one that is being cleared, while their host does not answer', async () => {
  const [stopping, clearing] = [await world.made(), await world.made()]
  for (const name of [stopping, clearing]) await world.started(name)
  await world.stopped(clearing)
  const { client } = installation
  const { status } =
    (await client.pipelines.listAll({})).find(({ metadata }) => metadata.name === stopping) ?? {}
  await agent.stop()
  await client.environments.delete(status?.deployment?.environmentId ?? '')
  const lost = await world.untilStatus(stopping, 'Stopping')
  expect(lost.deployment_error?.error_code).toBe('MachineLost')
  await expectAnswers(stopping, {
    ...{ ...untold, ...unstopped, start: illegal, startPaused: illegal, stop: [202] },
    dismiss: [400, 'DismissErrorRestrictedToFullyStopped'],
  })
  await world.ask(clearing, 'clear')
  await world.poll(clearing, (seen) => seen.storage_status === 'Clearing')
  await expectAnswers(clearing, {
    ...{ ...untold, clear: [202], dismiss: [200] },
    start: [400, 'CannotStartWhileClearingStorage'],
    resize: [400, 'EditRestrictedToClearedStorage'],
    remove: [400, 'DeleteRestrictedToClearedStorage'],
  })
  agent = await startSyntheticAgent(installation, { name: 'rack-1', identityOf: agent })
  await world.untilStatus(stopping, 'Stopped')
  await world.poll(clearing, (seen) => seen.storage_status === 'Cleared')
})

test('of one that was changed since it was read', async () => {
  const name = await world.made()
  const { error, response } = await world.client.PATCH('/v0/pipelines/{pipeline_name}', {
    ...at(name),
    headers: { 'If-Match': '"7"' },
    body: { description: 'another' },
  })
  expect(refused({ error, response })).toEqual([409, 'OutdatedPipelineVersion'])
})
