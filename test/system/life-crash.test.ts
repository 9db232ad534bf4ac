import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Environment, LifeSpec } from '@hearth/contract'
import { seededRandom } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Service, startService } from '../bench/service.ts'
import { type AgentProcess, startAgentProcess } from './agent-process.ts'
import { untilEnvironment, untilPool } from './following.ts'
import { newPublicKey } from './public-key.ts'

/** Control plane and agent are killed, as processes, while lives go on. */
let service: Service
let agent: AgentProcess

beforeAll(async () => {
  service = await startService()
  agent = await startAgentProcess(service, 'north', {})
  const applied = await service.client.apply({
    apiVersion: 'hearth/v1',
    name: 'shop',
    warmPools: [{ min: 6 }],
  })
  await untilPool(service.client, applied.warmPools[0]?.id ?? '', ({ status }) => status.ready === 6)
}, 120_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await service?.[Symbol.asyncDispose]()
})

async function claim(life: LifeSpec): Promise<string> {
  const spec = { project: 'shop', publicKey: newPublicKey(), life }
  return (await service.client.claims.create({ spec })).status.environmentId ?? ''
}
const folderOf = (environmentId: string) => join(agent.stateFolder, 'environments', environmentId)
const told = (environmentId: string) =>
  readdirSync(folderOf(environmentId)).filter((name) => name.startsWith('step-notice-'))

async function history(environmentId: string): Promise<Environment[]> {
  const { items } = await service.client.events.list({ resourceId: environmentId, after: 0, limit: 1_000 })
  return items.map(({ resource }) => resource as unknown as Environment)
}

test('every machine ends once, announced before and told once, and none that is used, whoever is killed meanwhile', async () => {
  const random = seededRandom(Number(process.env.HEARTH_TEST_SEED ?? Date.now() % 1_000_000))
  const { client } = service
  const idle = await Promise.all([8, 9].map((idleSeconds) => claim({ idleSeconds })))
  const limited = await Promise.all(
    [10, 12].map((lifetimeSeconds) => claim({ lifetimeSeconds, lifetimeThen: 'stop' })),
  )
  const used = await claim({ idleSeconds: 8 })
  writeFileSync(join(folderOf(used), 'connected'), '')
  for (let kill = 0; kill < 4; kill += 1) {
    await delay(random.integer(500, 2_500))
    if (random.next() < 0.5) await service.crashControlPlane()
    else {
      await agent.kill()
      await agent.start()
    }
  }
  for (const [ids, phase, cause] of [
    [idle, 'suspended', 'idle'],
    [limited, 'stopped', 'lifetime'],
  ] as const)
    for (const id of ids) {
      const ended = await untilEnvironment(client, id, ({ status }) => status.phase === phase)
      const over = ended.status.life?.over
      expect(over?.cause).toBe(cause)
      const events = await history(id)
      const warned = events.findLast(({ status }) => status.life?.warning != null)?.status.life?.warning
      expect(warned?.cause).toBe(cause)
      const notice = Date.parse(over?.at ?? '') - Date.parse(warned?.at ?? '')
      expect(notice).toBeGreaterThanOrEqual(((over?.spanSeconds ?? 0) * 1000) / 2 - 1)
      const ends = events.filter(
        ({ spec }, index) =>
          spec.desiredPhase !== 'running' && events[index - 1]?.spec.desiredPhase === 'running',
      )
      expect(ends).toHaveLength(1)
      const warnings = new Set(
        events.map(({ status }) => status.life?.warning?.at).filter((at) => at !== undefined),
      )
      expect(told(id).length).toBeLessThanOrEqual(warnings.size)
    }
  const kept = await client.environments.get(used)
  expect([kept.status.phase, kept.status.life?.over]).toEqual(['running', null])
  rmSync(join(folderOf(used), 'connected'))
  await untilEnvironment(client, used, ({ status }) => status.phase === 'suspended')
}, 240_000)

test('a machine whose runner is silent is not ended for idleness, and says so; nor at once when it is heard again', async () => {
  const { client } = service
  const id = await claim({ idleSeconds: 10, idleThen: 'delete' })
  await agent.kill()
  const silent = await untilEnvironment(client, id, ({ status }) => status.unreachable)
  expect(silent.status).toMatchObject({ phase: 'running', life: { idleEndsAt: null } })
  expect(JSON.stringify((await client.environments.why(id)).evidence)).toMatch(
    /its runner is silent, so that nobody knows/,
  )
  await agent.start()
  const heard = await untilEnvironment(client, id, ({ status }) => !status.unreachable)
  const { activeAt = '', idleEndsAt } = heard.status.life ?? {}
  expect(heard.status.phase).toBe('running')
  expect(Date.parse(idleEndsAt ?? '')).toBeGreaterThanOrEqual(Date.parse(activeAt) + 10_000)
  const gone = await untilEnvironment(client, id, ({ status }) => status.phase === 'deleted')
  expect(gone.status.deletion?.reason).toBe('idle_over')
}, 180_000)
