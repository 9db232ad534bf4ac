import { setTimeout as delay } from 'node:timers/promises'
import { seededRandom } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

const rounds = 30
const mostMilliseconds = 12
let installation: Installation
let agent: SyntheticAgent

beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, { name: 'north' })
})
afterAll(async () => {
  await agent.stop()
  await installation[Symbol.asyncDispose]()
})

test('of a claim and the deletion of its project at the same moment, one is refused and the other holds', async () => {
  const { client } = installation
  const random = seededRandom(Number(process.env.HEARTH_TEST_SEED ?? 1))
  let claims = 0
  for (let round = 0; round < rounds; round += 1) {
    const name = `both-${round}`
    const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name, warmPools: [{ min: 0 }] })
    const spec = { project: name, fallback: 'cold' as const, publicKey: newPublicKey() }
    // Which of the two requests is delayed, and by how much, so that either may win on any host.
    const late = (random.next() * 2 - 1) * mostMilliseconds
    const [claimed, deleted] = await Promise.allSettled([
      delay(Math.max(0, -late)).then(() => client.claims.create({ spec })),
      delay(Math.max(0, late)).then(() => client.projects.delete(projectId)),
    ])
    expect([claimed.status, deleted.status].sort(), name).toEqual(['fulfilled', 'rejected'])
    if (claimed.status === 'rejected') continue
    claims += 1
    const { id } = claimed.value.metadata
    const isOver = ({ status }: { status: { phase: string } }) => status.phase !== 'pending'
    const claim = await until(client, `claim ${id}`, () => client.claims.get(id), isOver)
    expect(claim.status.phase).toBe('bound')
  }
  expect(claims).toBeGreaterThan(0)
  expect(claims).toBeLessThan(rounds)
  console.info(`${claims} of ${rounds} times the claim came first`)
}, 240_000)
