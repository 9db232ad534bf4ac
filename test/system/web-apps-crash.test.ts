import { setTimeout as delay } from 'node:timers/promises'
import { seededRandom } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Service, startService } from '../bench/service.ts'
import { type AgentProcess, startAgentProcess } from './agent-process.ts'
import { line, shopFile, shopNames, webAppWorld } from './web-app-world.ts'

/** Control plane and agent are killed, as processes, while deployments go on. */
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

const world = webAppWorld(() => service, 150_000)

test('eight spaces are deployed at once, each release command runs once, and nothing of a dead release is left, whoever is killed meanwhile', async () => {
  const random = seededRandom(Number(process.env.HEARTH_TEST_SEED ?? Date.now() % 1_000_000))
  const apps = await Promise.all([1, 2, 3, 4].map(() => world.webApp()))
  const file = shopFile({ release: [line('sleep 0.5'), line('echo migrated')] })
  const deployments = await Promise.all(
    apps.flatMap(({ uat, production }) => [world.deploy(uat, file), world.deploy(production, file)]),
  )
  for (let kill = 0; kill < 4; kill += 1) {
    await delay(random.integer(200, 2_000))
    if (random.next() < 0.5) await service.crashControlPlane()
    else {
      await agent.kill()
      await agent.start()
    }
  }
  const over = await Promise.all(deployments.map(({ metadata }) => world.untilOver(metadata.id)))
  expect(over.map(({ status }) => [status.phase, status.failure?.message])).toEqual(
    over.map(() => ['succeeded', undefined]),
  )
  for (const [index, { environmentId }] of apps.entries()) {
    const [uat, production] = over.slice(2 * index)
    if (uat === undefined || production === undefined) throw new Error('a deployment is missing')
    const names = [...shopNames(uat), ...shopNames(production, 'production')]
    await world.untilServices(
      environmentId,
      (services) =>
        services.length === names.length && services.every(({ status }) => status.phase === 'running'),
    )
    expect(Object.keys(await world.running(environmentId)).toSorted()).toEqual(names.toSorted())
    const ran = Object.entries(await world.ranTasks(environmentId)).filter(([name]) =>
      name.includes('-release-'),
    )
    expect(ran.map(([, runs]) => runs)).toEqual([1, 1, 1, 1])
  }
}, 300_000)
