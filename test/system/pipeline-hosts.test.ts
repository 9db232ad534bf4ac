import { freePort } from '@hearth/embedded'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, startInstallation } from './installation.ts'
import { pipelineWorld } from './pipeline-world.ts'
import { type SyntheticAgent, type SyntheticSettings, startSyntheticAgent } from './synthetic-agent.ts'

/** Pipelines on two hosts that copy no snapshots, of which one has an agent from before there were volumes. */
let installation: Installation
let newer: SyntheticAgent
const agents: SyntheticAgent[] = []

beforeAll(async () => {
  installation = await startInstallation()
  await startAgent('older', { withoutWork: ['volume'] })
  newer = await startAgent('newer')
}, 60_000)
afterAll(async () => {
  for (const agent of agents) await agent.stop()
  await installation?.[Symbol.asyncDispose]()
})

async function startAgent(name: string, more: Partial<SyntheticSettings> = {}): Promise<SyntheticAgent> {
  const agent = await startSyntheticAgent(installation, { name, ...more })
  agents.push(agent)
  return agent
}
const startCopyingAgent = async (name: string) =>
  startAgent(name, { environment: { HEARTH_LAYERS_ADDRESS: `127.0.0.1:${await freePort()}` } })
const world = pipelineWorld(() => installation)
const schedule = (runner: string, scheduling: 'enabled' | 'cordoned') =>
  installation.client.runners.update(runner, { spec: { scheduling } })

const hostOf = async (id: string) => {
  const environmentId = (await world.get(id)).status.deployment?.environmentId ?? ''
  return (await installation.client.environments.get(environmentId)).status.runnerId
}

test.each([1, 2, 3])('a program is compiled where it can start, since nothing is copied: %d', async () => {
  const id = await world.compiled()
  for (let start = 0; start < 2; start += 1) {
    await installation.client.pipelines.start(id)
    await world.untilPhase(id, 'running')
    expect(await hostOf(id)).toBe(newer.runner.metadata.id)
    await installation.client.pipelines.stop(id)
    await world.untilPhase(id, 'stopped')
  }
  await world.gone(id)
})

test('where no host can have its volume a start says why of each, and ends with that when its time is over', async () => {
  const id = await world.compiled({ runtime: { provisioningSeconds: 3 } })
  await schedule('newer', 'cordoned')
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

test('what was compiled on a host that takes no machines any more is copied to another', async () => {
  await schedule('newer', 'cordoned')
  const from = await startCopyingAgent('from')
  const id = await world.compiled()
  const [snapshot] = await world.snapshots()
  expect(snapshot?.status.holders.map(({ runnerId }) => runnerId)).toEqual([from.runner.metadata.id])
  await schedule('from', 'cordoned')
  const to = await startCopyingAgent('to')
  await installation.client.pipelines.start(id)
  await world.untilPhase(id, 'running')
  expect(await hostOf(id)).toBe(to.runner.metadata.id)
  await world.gone(id)
})
