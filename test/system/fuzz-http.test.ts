import { expect, test } from 'vitest'
import { fuzzHttp } from '../fuzz/http/campaign.ts'
import { fuzzTarget } from '../fuzz/http/target.ts'
import { startInstallation } from './installation.ts'

test('random requests get documented answers, and refused ones change nothing', async () => {
  const seed = Number(process.env.HEARTH_TEST_SEED ?? 20_261_128)
  const count = Number(process.env.HEARTH_TEST_RUNS ?? 400)
  console.info(`seed ${seed}`)
  await using installation = await startInstallation()
  const { url, token, database } = installation
  await using target = await fuzzTarget({ url, token, databaseUrl: database.url })
  const { statuses, violations } = await fuzzHttp(target, { count, seed })
  expect(violations).toEqual([])
  // Both accepted and invalid requests were among them.
  expect(statuses[201]).toBeGreaterThan(0)
  expect(statuses[400]).toBeGreaterThan(0)
}, 120_000)
