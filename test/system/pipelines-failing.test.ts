import type { HearthClient } from '@hearth/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, startInstallation } from './installation.ts'
import { pipelineWorld, simulatedRun, tell } from './pipeline-world.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** Pipelines whose program, machine or time fails them. */
let installation: Installation
let agent: SyntheticAgent
let client: HearthClient

beforeAll(async () => {
  installation = await startInstallation()
  client = installation.client
  agent = await startSyntheticAgent(installation, { name: 'rack-1' })
}, 60_000)
afterAll(async () => {
  await agent?.stop()
  await installation?.[Symbol.asyncDispose]()
})

const world = pipelineWorld(() => installation)
const running = JSON.stringify({ desired: 'running', bootstrap: 'await_approval', isApproved: false })
const refusal = (asked: Promise<unknown>) =>
  asked.then(
    () => null,
    (error: { facts?: { refusal?: string } }) => error.facts?.refusal ?? String(error),
  )

test('a faulty program says where, does not start, and is compiled again when it is changed', async () => {
  const fault = JSON.stringify({ line: 2, column: 8, message: 'no such column: b', snippet: 'SELECT b' })
  const id = await world.made({ check: `echo ${fault}\nexit 1` })
  const { status } = await world.untilProgram(id, 'check_error')
  expect(status.programError.check).toEqual({
    exitCode: 1,
    messages: [
      expect.objectContaining({
        startLine: 2,
        startColumn: 8,
        message: 'no such column: b',
        snippet: 'SELECT b',
      }),
    ],
  })
  expect(await refusal(client.pipelines.start(id))).toBe('program_faulty')
  const { evidence, next } = await client.pipelines.why(id)
  expect(evidence.map(({ what }) => what)).toContain('line 2, column 8: no such column: b')
  expect(next).toBe('change its program, which compiles it again')
  await world.untilGone({})
  await client.pipelines.update(id, { spec: { program: { configuration: { run: simulatedRun() } } } })
  const mended = await world.untilProgram(id, 'success')
  expect(mended.status.programError).toEqual({ check: null, build: null, system: null })
  await world.gone(id)
})

test('a start that waits for a program which turns out faulty ends with an error, which is dismissed', async () => {
  const id = await world.made({ build: 'sleep 0.3\necho undeclared\nexit 2' })
  await client.pipelines.start(id)
  const { spec, status } = await world.until(id, (seen) => seen.status.error !== null)
  expect(status.error?.code).toBe('start_failed_due_to_failed_compilation')
  expect([spec.desired, status.resources, status.program]).toEqual(['stopped', 'stopped', 'build_error'])
  expect(status.programError.build).toMatchObject({
    exitCode: 2,
    errorOutput: expect.stringContaining('undeclared'),
  })
  expect((await client.pipelines.dismissError(id)).status.error).toBeNull()
  await client.pipelines.delete(id)
  await world.untilGone({})
})

test('what a machine lacks is no fault of the program: it says what to do, and is compiled again', async () => {
  const id = await world.made({ check: 'echo no python here\nexit 125' })
  const { status } = await world.untilProgram(id, 'system_error')
  expect(status.programError).toMatchObject({ check: null, system: 'no python here' })
  expect((await client.pipelines.why(id)).next).toBe('compile it again when that is mended')
  expect((await client.pipelines.compile(id)).status.program).toBe('pending')
  await world.untilProgram(id, 'system_error')
  await client.pipelines.delete(id)
  await world.untilGone({})
})

test('a program that ends is an error until it is dismissed, or the pipeline is started anew', async () => {
  const id = await world.made({
    run: simulatedRun({ more: [`# simulated: on ${running} after 0.2 exit 3`] }),
  })
  await client.pipelines.start(id)
  const { spec, status } = await world.until(id, (seen) => seen.status.error !== null)
  expect(status.error).toMatchObject({ code: 'runtime_ended', details: { exitCode: 3 } })
  expect(spec.desired).toBe('stopped')
  await world.untilPhase(id, 'stopped')
  expect((await world.get(id)).status.storage).toBe('in_use')
  expect(await refusal(client.pipelines.start(id))).toBe('undismissed_error')
  await client.pipelines.start(id, { dismissError: true })
  await world.untilPhase(id, 'running')
  await world.until(id, (seen) => seen.status.error !== null)
  await world.untilPhase(id, 'stopped')
  await client.pipelines.dismissError(id)
  await world.gone(id)
})

test('a machine that is lost is an error, and the next one goes on with what was stored', async () => {
  const id = await world.running()
  const [volume] = await world.volumes(id)
  const { deployment } = (await world.get(id)).status
  await client.environments.delete(deployment?.environmentId ?? '')
  const { status } = await world.until(id, (seen) => seen.status.error !== null)
  expect(status.error).toMatchObject({ code: 'machine_lost' })
  await world.untilPhase(id, 'stopped')
  await client.pipelines.start(id, { dismissError: true })
  await world.untilPhase(id, 'running')
  expect((await world.volumes(id)).map(({ metadata }) => metadata.id)).toEqual([volume?.metadata.id])
  const again = (await world.get(id)).status.deployment
  expect(again?.id).not.toBe(deployment?.id)
  await world.gone(id)
})

test('one whose hypervisor crashes ends with that, since its program ran there', async () => {
  const id = await world.running()
  const { deployment } = (await world.get(id)).status
  agent.crash(deployment?.environmentId ?? '')
  const { status } = await world.until(id, (seen) => seen.status.error !== null)
  expect(status.error?.code).toMatch(/^(runtime_ended|machine_lost)$/)
  await world.untilPhase(id, 'stopped')
  await client.pipelines.dismissError(id)
  await world.gone(id)
})

test('without a host a start waits, says for what, and ends when its time is over, or it is stopped', async () => {
  const id = await world.compiled({ runtime: { provisioningSeconds: 2 } })
  const patient = await world.compiled()
  await client.runners.update('rack-1', { spec: { scheduling: 'cordoned' } })
  await client.pipelines.start(id)
  await client.pipelines.start(patient)
  await world.untilPhase(patient, 'provisioning')
  const { sentence } = await client.pipelines.why(patient)
  expect(sentence).toMatch(/^its machine is being made ready: it waits for /)
  await client.pipelines.stop(patient)
  await world.untilPhase(patient, 'stopped')
  expect((await world.get(patient)).status.error).toBeNull()
  const { status } = await world.until(id, (seen) => seen.status.error !== null)
  expect(status.error).toMatchObject({ code: 'provisioning_timeout', details: { seconds: 2 } })
  await world.untilPhase(id, 'stopped')
  await client.runners.update('rack-1', { spec: { scheduling: 'enabled' } })
  await client.pipelines.update(id, { spec: { runtime: { storageMebibytes: 64 } } })
  await client.pipelines.start(id, { dismissError: true })
  await world.untilPhase(id, 'running')
  await client.pipelines.stop(patient, { force: true })
  await client.pipelines.clear(patient)
  await world.until(patient, (seen) => seen.status.storage === 'cleared')
  await client.pipelines.delete(patient)
  await world.gone(id)
})

test('a program that stores nothing when it is asked to is stopped by force', async () => {
  const stubborn = await world.running({ run: simulatedRun({ isStubborn: true }) })
  await client.pipelines.stop(stubborn)
  const { spec } = await world.get(stubborn)
  expect([spec.desired, spec.desiredRuntime]).toEqual(['provisioned', 'suspended'])
  expect(await refusal(client.pipelines.resume(stubborn))).toBe('illegal_change')
  await client.pipelines.stop(stubborn, { force: true })
  await world.untilPhase(stubborn, 'stopped')
  await world.gone(stubborn)
})

test('what a program tells that is no text is told as such, and its line costs nobody else theirs', async () => {
  const wild = '{"status":"running","details":"\\u0000"}'
  const lines = [wild, '[]', '{"status":"paused","details":{"deep":[[[1]]]}}'].map(
    (line, index) => `# simulated: on ${running} after ${index * 0.05} print hearth-pipeline: ${line}`,
  )
  const id = await world.made({ run: lines.join('\n') })
  await client.pipelines.start(id)
  const { status } = await world.untilPhase(id, 'paused')
  expect(status.runtimeDetails).toEqual({ deep: [[[1]]] })
  expect(await world.runtimes(id)).toEqual(['initializing', 'unavailable', 'paused'])
  await world.gone(id)
})

test('a silent program is found out', async () => {
  const id = await world.made({ run: `# simulated: after 60 ${tell('running')}` })
  await client.pipelines.start(id)
  const { status } = await world.untilPhase(id, 'unavailable')
  expect(status.runtimeDetails).toEqual({ reason: 'its program has said nothing for 20 s' })
  await world.gone(id)
})
