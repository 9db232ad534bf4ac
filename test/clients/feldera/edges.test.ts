import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, startInstallation } from '../../system/installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from '../../system/synthetic-agent.ts'
import { edgesIn, legalEdges } from './walked.ts'
import { type FelderaWorld, felderaWorld, said } from './world.ts'

/** Every edge of every table of statuses, asked for and seen as clients of the interface do. */
let installation: Installation
let agent: SyntheticAgent
let world: FelderaWorld
const walked = new Set<string>()
const names: string[] = []

beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, { name: 'rack-1' })
  world = felderaWorld(installation)
}, 60_000)
afterAll(async () => {
  await agent?.stop()
  await installation?.[Symbol.asyncDispose]()
})

/** One whose events are walked in the end. */
async function made(...given: Parameters<FelderaWorld['made']>): Promise<string> {
  const name = await world.made(...given)
  names.push(name)
  return name
}
async function walk(name: string): Promise<void> {
  for (const edge of edgesIn(await world.events(name))) walked.add(edge)
}
/** Asks for what is so already: it is taken, and no event tells of a change. */
async function stays(
  name: string,
  edge: string,
  action: Parameters<FelderaWorld['ask']>[1],
  query: Parameters<FelderaWorld['ask']>[2] = {},
): Promise<void> {
  const [before, told] = [await world.status(name), edgesIn(await world.events(name))]
  expect((await world.ask(name, action, query)).response.status).toBe(202)
  const after = await world.status(name)
  expect(edgesIn(await world.events(name))).toEqual(told)
  const [table = ''] = edge.split(':')
  const field = table === 'storage' ? 'storage_status' : 'deployment_runtime_desired_status'
  expect(edge).toBe(`${table}: ${before[field]} → ${after[field]}`)
  walked.add(edge)
}
test('a program is checked, built, and compiled again when it is changed, also meanwhile', async () => {
  const name = await made({}, { check: 'sleep 0.1', build: 'sleep 0.1' })
  await world.untilProgram(name, 'Success')
  expect((await world.patch(name, { program_code: 'other' })).data?.program_status).toBe('Pending')
  await world.untilProgram(name, 'Success')
  for (const [task, meanwhile] of [
    ['check', 'CompilingSql'],
    ['build', 'CompilingRust'],
  ] as const) {
    const slow = await made({}, { [task]: 'sleep 60' })
    await world.untilProgram(slow, meanwhile)
    expect((await world.patch(slow, { program_code: 'other' })).data?.program_status).toBe('Pending')
    await world.untilProgram(slow, meanwhile)
    await walk(slow)
    names.pop()
    expect((await world.remove(slow)).response.status).toBe(200)
  }
})

test.each([
  ['SqlError', { check: 'exit 1' }],
  ['RustError', { build: 'exit 2' }],
  ['SystemError', { check: 'exit 125' }],
  ['SystemError', { build: 'exit 125' }],
] as const)('a program that ends as %s is compiled again when it is changed: %o', async (end, tasks) => {
  const name = await made({}, tasks)
  await world.untilProgram(name, end)
  expect((await world.patch(name, { program_code: 'other' })).data?.program_status).toBe('Pending')
  await world.untilProgram(name, end)
})

test('a program whose machine does not come to run was not compiled by a fault of the system', async () => {
  await world.whileCordoned('rack-1', async () => {
    await using failing = await startSyntheticAgent(installation, {
      name: 'failing',
      environment: { HEARTH_SYNTHETIC_FAILURES: 'create_vm:1' },
    })
    try {
      const name = await made()
      const { program_error } = await world.untilProgram(name, 'SystemError')
      expect(program_error.system_error).toMatch(/^its machine \S+ has failed/)
    } finally {
      const { id } = failing.runner.metadata
      await installation.client.runners.update(id, { spec: { scheduling: 'cordoned' } })
    }
  })
})

test('one starts, stores, and starts with what is stored, until it is cleared', async () => {
  const name = await made()
  await world.started(name)
  await stays(name, 'runtime desired: Running → Running', 'resume')
  expect(said(await world.ask(name, 'stop'))).toEqual([202, 'Pipeline is suspending'])
  await world.untilStatus(name, 'Stopped')
  await world.started(name, { initial: 'paused' }, 'Paused')
  await stays(name, 'runtime desired: Paused → Paused', 'pause')
  await world.ask(name, 'resume')
  await world.untilStatus(name, 'Running')
  await world.ask(name, 'pause')
  await world.untilStatus(name, 'Paused')
  await world.ask(name, 'stop')
  await world.untilStatus(name, 'Stopped')
  await agent.stop()
  // Its volume is on a host that does not answer.
  await world.ask(name, 'clear')
  await world.poll(name, (seen) => seen.storage_status === 'Clearing')
  await stays(name, 'storage: Clearing → Clearing', 'clear')
  agent = await startSyntheticAgent(installation, { name: 'rack-1', identityOf: agent })
  await world.poll(name, (seen) => seen.storage_status === 'Cleared')
})

test('a standby goes on as it is activated', async () => {
  for (const initial of ['Running', 'Paused'] as const) {
    const name = await made()
    await world.started(name, { initial: 'standby' }, 'Standby')
    await stays(name, 'runtime desired: Standby → Standby', 'start', { initial: 'standby' })
    const activated = await world.ask(name, 'activate', { initial: initial.toLowerCase() })
    expect(said(activated)).toEqual([202, `Pipeline transitioning from Standby to ${initial}`])
    await world.untilStatus(name, initial)
    await world.stopped(name)
  }
})

test('one that is being suspended is, however often that is asked for', async () => {
  const name = await made({ isStubborn: true })
  await world.started(name)
  await world.ask(name, 'stop')
  await stays(name, 'runtime desired: Suspended → Suspended', 'stop')
  await world.stopped(name)
})

test('a start ends before there is a machine where the program turns out faulty, and while there is none on request', async () => {
  // It has no machine to be compiled in until its start was asked for.
  const faulty = await world.whileCordoned('rack-1', async () => {
    const name = await made({}, { build: 'exit 2' })
    expect((await world.ask(name, 'start')).response.status).toBe(202)
    return name
  })
  const { deployment_error } = await world.poll(faulty, (seen) => seen.deployment_error !== null)
  expect(deployment_error?.error_code).toBe('StartFailedDueToFailedCompilation')
  const waiting = await made()
  await world.untilProgram(waiting, 'Success')
  await world.whileCordoned('rack-1', async () => {
    expect((await world.ask(waiting, 'start')).response.status).toBe(202)
    await world.untilStatus(waiting, 'Provisioning')
    expect(said(await world.ask(waiting, 'stop'))).toEqual([202, 'Pipeline is forcefully stopping'])
    await world.untilStatus(waiting, 'Stopped')
  })
})

test('whatever a program says of itself is told, each an event, in order', async () => {
  const said = [
    ...['coordination', 'standby', 'synchronizing', 'awaiting_approval', 'bootstrapping'],
    ...['concurrent_bootstrapping', 'replaying', 'none_that_there_is', 'paused', 'suspended'],
  ]
  const name = await made({ running: said })
  await world.ask(name, 'start')
  await world.poll(
    name,
    (seen) =>
      seen.deployment_status === 'Stopped' && seen.deployment_id === null && seen.storage_status === 'InUse',
  )
  const seen = (await world.events(name)).flatMap((event) => event.deployment_runtime_status ?? [])
  expect(seen.filter((status, index) => status !== seen[index - 1])).toEqual([
    ...['Initializing', 'Coordination', 'Standby', 'Synchronizing', 'AwaitingApproval', 'Bootstrapping'],
    ...['ConcurrentBootstrapping', 'Replaying', 'Unavailable', 'Paused', 'Suspended'],
  ])
})

/** Edges that the tables admit and that nobody can have a pipeline take, and why. */
const neverTaken = [
  // Checked, it is being built in the same transaction.
  'program: SqlCompiled → Pending',
  // A build that was cut off goes on or ends; it does not begin anew.
  'program: CompilingRust → SqlCompiled',
  // No request wishes for these.
  'runtime desired: Unavailable → Unavailable',
  'runtime desired: Coordination → Coordination',
]

test('so each edge of each table was taken, and no other', async () => {
  for (const name of names) await walk(name)
  const expected = legalEdges.filter((edge) => !neverTaken.includes(edge))
  expect([...walked].toSorted()).toEqual(expected.toSorted())
})
