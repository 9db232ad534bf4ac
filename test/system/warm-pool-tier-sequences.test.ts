import { seededRandom } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, startInstallation } from './installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'
import { TierSequence } from './tier-sequence.ts'

const sequences = Number(process.env.HEARTH_POOL_SEQUENCES ?? 3)
const firstSeed = Number(process.env.HEARTH_TEST_SEED ?? 1)
const steps = 12

let installation: Installation
let agent: SyntheticAgent

beforeAll(async () => {
  installation = await startInstallation({ overrides: { timings: { poolRest: 500, bootRetry: 20 } } })
  const environment = { HEARTH_SYNTHETIC_RESUME_MILLISECONDS: '5', HEARTH_SYNTHETIC_FREEZE_MILLISECONDS: '5' }
  agent = await startSyntheticAgent(installation, { name: 'rack-1', environment })
})
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

test.each(Array.from({ length: sequences }, (_, index) => firstSeed + index))(
  'whatever is claimed, released, suspended, resumed, crashed, scaled and rolled over, each tier counts what is there and comes to its size (seed %i)',
  async (seed) => {
    const sequence = await TierSequence.start(installation, agent, seededRandom(seed))
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
