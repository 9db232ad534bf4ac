import { freePort } from '@hearth/embedded'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, startInstallation } from './installation.ts'
import { pipelineWorld } from './pipeline-world.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** Pipelines on two hosts, of which one has an agent from before there were volumes. */
let installation: Installation
let older: SyntheticAgent
let newer: SyntheticAgent

beforeAll(async () => {
  installation = await startInstallation()
  older = await startAgent('older', ['volume'])
  newer = await startAgent('newer', [])
}, 60_000)
afterAll(async () => {
  for (const agent of [older, newer]) await agent?.stop()
  await installation?.[Symbol.asyncDispose]()
})

const startAgent = async (name: string, withoutWork: readonly string[]) =>
  startSyntheticAgent(installation, {
    name,
    withoutWork,
    environment: { HEARTH_LAYERS_ADDRESS: `127.0.0.1:${await freePort()}` },
  })
const world = pipelineWorld(() => installation)
const schedule = (runner: string, scheduling: 'enabled' | 'cordoned') =>
  installation.client.runners.update(runner, { spec: { scheduling } })

/** One that was compiled on the host without volumes. */
async function compiledOnOlder(runtime: object = {}): Promise<string> {
  await schedule('newer', 'cordoned')
  return world.compiled({ runtime })
}
const hostOf = async (id: string) => {
  const environmentId = (await world.get(id)).status.deployment?.environmentId ?? ''
  return (await installation.client.environments.get(environmentId)).status.runnerId
}

test.each([1, 2, 3])(
  'a program that was compiled where there are no volumes starts where there are: %d',
  async () => {
    const id = await compiledOnOlder()
    await schedule('newer', 'enabled')
    await installation.client.pipelines.start(id)
    await world.untilPhase(id, 'running')
    expect(await hostOf(id)).toBe(newer.runner.metadata.id)
    await installation.client.pipelines.stop(id)
    await world.untilPhase(id, 'stopped')
    await installation.client.pipelines.start(id)
    await world.untilPhase(id, 'running')
    expect(await hostOf(id)).toBe(newer.runner.metadata.id)
    await world.gone(id)
  },
)

test('where no host can have its volume a start says why of each, and ends with that when its time is over', async () => {
  const id = await compiledOnOlder({ provisioningSeconds: 3 })
  await installation.client.pipelines.start(id)
  await world.untilPhase(id, 'provisioning')
  const causes = [/older has an agent without volumes: update it/, /newer is cordoned/]
  const why = async () => (await installation.client.pipelines.why(id)).sentence
  for (const cause of causes) await expect.poll(why, { timeout: 10_000 }).toMatch(cause)
  const { status } = await world.until(id, (seen) => seen.status.error !== null)
  expect(status.error?.code).toBe('provisioning_timeout')
  for (const cause of causes) expect(status.error?.message).toMatch(cause)
  await world.untilPhase(id, 'stopped')
  await schedule('newer', 'enabled')
  await installation.client.pipelines.start(id, { dismissError: true })
  await world.untilPhase(id, 'running')
  await world.gone(id)
})
