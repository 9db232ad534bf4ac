import { expect, test } from 'vitest'
import { fuzzMessages } from '../fuzz/messages/campaign.ts'

test('a thousand messages of a runner, valid and invalid, harm nobody else', async () => {
  const seed = Number(process.env.HEARTH_TEST_SEED ?? Date.now() % 1_000_000)
  console.info(`seed ${seed}`)
  const { sent, failures } = await fuzzMessages({ count: 1_000, seed, tell: () => undefined })
  expect(failures).toEqual([])
  expect(sent).toBe(1_000)
}, 240_000)
