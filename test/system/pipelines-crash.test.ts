import { setTimeout as delay } from 'node:timers/promises'
import { type PipelineRuntime, pipelineRuntimes } from '@hearth/contract'
import { seededRandom } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Service, startService } from '../bench/service.ts'
import { type AgentProcess, startAgentProcess } from './agent-process.ts'
import { pipelineWorld, simulatedRun } from './pipeline-world.ts'

/** Control plane and agent are killed, as processes, while pipelines tell how they are. */
let service: Service
let agent: AgentProcess

beforeAll(async () => {
  service = await startService()
  agent = await startAgentProcess(service, 'north', {})
}, 120_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await service?.[Symbol.asyncDispose]()
})

const world = pipelineWorld(() => service, 150_000)
const random = seededRandom(Number(process.env.HEARTH_TEST_SEED ?? Date.now() % 1_000_000))

/** Statuses of which none is the one before, and the last is `running`. */
function sequence(length: number): PipelineRuntime[] {
  const words = pipelineRuntimes.filter(
    (word) => word !== 'unavailable' && word !== 'suspended' && word !== 'initializing',
  )
  const told: PipelineRuntime[] = []
  while (told.length < length - 1) {
    const word = words[random.integer(0, words.length - 1)]
    if (word !== undefined && word !== told.at(-1)) told.push(word)
  }
  return told.at(-1) === 'running' ? [...told, 'paused', 'running'] : [...told, 'running']
}

test('whoever is killed meanwhile, the events are what the programs told, in order, none left out and none twice', async () => {
  const told = Array.from({ length: 6 }, () => sequence(20))
  const ids = await Promise.all(
    told.map((running) => world.compiled({ run: simulatedRun({ running, apart: 0.4 }) })),
  )
  for (const id of ids) await service.client.pipelines.start(id)
  await world.until(ids[0] ?? '', ({ status }) => status.resources === 'provisioned')
  for (let kill = 0; kill < 4; kill += 1) {
    await delay(random.integer(200, 1_500))
    if (kill % 2 === 0) await service.crashControlPlane()
    else {
      await agent.kill()
      await agent.start()
    }
  }
  for (const [index, id] of ids.entries()) {
    const wanted = ['initializing', ...(told[index] ?? [])]
    // While its host is silent it is unavailable, and then what it was.
    const seen = async () =>
      (await world.runtimes(id))
        .filter((runtime) => runtime !== 'unavailable')
        .filter((runtime, place, all) => runtime !== all[place - 1])
    await world.until(id, ({ status }) => status.phase === 'running')
    await expect.poll(async () => (await seen()).length, { timeout: 60_000 }).toBe(wanted.length)
    expect(await seen()).toEqual(wanted)
    const sequences = await world.events(id)
    expect(new Set(sequences.map((event) => event.id)).size).toBe(sequences.length)
    const times = sequences.map(({ recordedAt }) => recordedAt)
    expect(times).toEqual(times.toSorted())
  }
  for (const id of ids) await service.client.pipelines.stop(id)
  for (const id of ids) await world.untilPhase(id, 'stopped')
  for (const id of ids) await service.client.pipelines.clear(id)
  for (const id of ids) await world.until(id, ({ status }) => status.storage === 'cleared')
  for (const id of ids) await service.client.pipelines.delete(id)
  await world.untilGone({})
}, 300_000)

test('while its host does not answer a pipeline that is stopping stays so, and does not start', async () => {
  const id = await world.running()
  agent.freeze()
  await service.client.pipelines.stop(id, { force: true })
  await world.untilPhase(id, 'stopping')
  await expect(service.client.pipelines.start(id)).rejects.toMatchObject({
    facts: { refusal: 'still_stopping' },
  })
  const { sentence } = await service.client.pipelines.why(id)
  expect(sentence).toBe('its machine is being given back')
  await agent.kill()
  await agent.start()
  await world.untilPhase(id, 'stopped')
  await world.gone(id)
}, 180_000)

test('a host that is removed takes the machine, what was compiled and what was stored; cleared, it starts elsewhere', async () => {
  const id = await world.running()
  await agent.kill()
  await service.client.runners.delete(agent.runnerId, { force: true })
  const { status } = await world.until(id, (seen) => seen.status.error !== null)
  expect(status.error?.code).toBe('machine_lost')
  await world.untilPhase(id, 'stopped')
  agent = await startAgentProcess(service, 'south', {})
  await world.untilProgram(id, 'success')
  await service.client.pipelines.start(id, { dismissError: true })
  const again = await world.until(id, (seen) => seen.status.error !== null)
  expect(again.status.error).toMatchObject({ code: 'storage_unavailable' })
  await world.untilPhase(id, 'stopped')
  await service.client.pipelines.clear(id)
  await world.until(id, (seen) => seen.status.storage === 'cleared')
  await service.client.pipelines.start(id, { dismissError: true })
  await world.untilPhase(id, 'running')
  await world.gone(id)
}, 240_000)
