import { seededRandom } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, startInstallation } from './installation.ts'
import { PoolSequence } from './pool-sequence.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

const sequences = Number(process.env.HEARTH_POOL_SEQUENCES ?? 3)
const firstSeed = Number(process.env.HEARTH_TEST_SEED ?? 1)
const steps = 12

let installation: Installation
const agents: SyntheticAgent[] = []

beforeAll(async () => {
  installation = await startInstallation({ overrides: { timings: { poolRest: 500, bootRetry: 20 } } })
  for (const [name, failures] of [
    ['sound', ''],
    ['broken', 'warm_pool_setup:1'],
  ] as const) {
    const environment = { HEARTH_SYNTHETIC_FAILURES: failures }
    agents.push(await startSyntheticAgent(installation, { name, environment }))
    await installation.client.runners.update(name, { labels: { host: name } })
  }
})
afterAll(async () => {
  for (const agent of agents) await agent.stop()
  await installation[Symbol.asyncDispose]()
})

test.each(Array.from({ length: sequences }, (_, index) => firstSeed + index))(
  'a pool of ten, set, tested, cleared, claimed from and failing by chance (seed %i), counts what is there and keeps its size',
  async (seed) => {
    const sequence = await PoolSequence.start(installation, seededRandom(seed))
    const done: string[] = []
    try {
      for (let step = 0; step < steps; step++) done.push(await sequence.step())
      await sequence.settle('the last step')
    } catch (error) {
      throw new Error(`seed ${seed}, after ${done.join('; ')}: ${String(error)}`, { cause: error })
    }
    await sequence.end()
    expect(done).toHaveLength(steps)
  },
  240_000,
)
