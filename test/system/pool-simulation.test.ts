import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HearthClient } from '@hearth/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hearth as run } from './command.ts'
import { untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** A simulation beside what happened: a pool of three on a runner that boots one machine at a time. */
let installation: Installation
let agent: SyntheticAgent
let poolId: string
const folder = mkdtempSync(join(tmpdir(), 'hearth-simulation-'))
const publicKey = newPublicKey()

beforeAll(async () => {
  installation = await startInstallation()
  const settings = { HEARTH_BOOT_CONCURRENCY: '1', HEARTH_SYNTHETIC_BOOT_MILLISECONDS: '600' }
  agent = await startSyntheticAgent(installation, { name: 'rack-1', environment: settings })
  const applied = await installation.client.apply({
    apiVersion: 'hearth/v1',
    name: 'shop',
    warmPools: [{ min: 3 }],
  })
  poolId = applied.warmPools[0]?.id ?? ''
  await full()
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const hearth = (...words: string[]) => run(installation, ...words)
const full = () => untilPool(installation.client, poolId, ({ status }) => status.ready === 3)

/** Claims so many one after the other; when each was asked for, and those that were refused. */
async function claim(count: number): Promise<{ asked: Date[]; refused: Date[] }> {
  const asked: Date[] = []
  const refused: Date[] = []
  for (let index = 0; index < count; index++) {
    const at = new Date()
    asked.push(at)
    const spec = { warmPoolId: poolId, fallback: 'refuse' as const, publicKey }
    await installation.client.claims.create({ spec }).catch(() => refused.push(at))
  }
  return { asked, refused }
}

test('a replay of claims names the same misses as happened', async () => {
  const bursts: Awaited<ReturnType<typeof claim>>[] = []
  for (const count of [5, 2, 6, 4]) {
    bursts.push(await claim(count))
    await full()
  }
  const asked = bursts.flatMap((burst) => burst.asked)
  const refused = bursts.flatMap((burst) => burst.refused)
  expect(refused.length).toBeGreaterThanOrEqual(5)
  const path = join(folder, 'claims')
  writeFileSync(path, asked.map((time) => time.toISOString()).join('\n'))
  const words = ['pool', 'simulate', 'shop', '--claims', path, '--fallback', 'refuse']
  const simulated = await hearth(...words, '-o', 'json')
  expect(simulated).toMatchObject({ status: 0, stderr: '' })
  const result = JSON.parse(simulated.stdout)
  expect(result.assumed).toMatchObject({ bootSlots: 1, isMeasured: true })
  expect(result.misses).toEqual(refused.map((time) => time.toISOString()))

  const larger = await hearth(...words, '--size', '17')
  expect(larger.stdout).toMatch(/^17 claims from \S+ to \S+; boots of \S+ s, as measured, 1 at once$/m)
  expect(larger.stdout).toMatch(new RegExp(`^claims that found none +${refused.length} .* 0 \\(0 %\\)$`, 'm'))
}, 60_000)

test('without a file it takes the claims that are known, those too that were refused', async () => {
  const known = JSON.parse((await hearth('pool', 'simulate', 'shop', '-o', 'json')).stdout)
  expect(known.claims).toBe(17)
})

test('what contradicts itself is refused by field and limit, and nothing is changed', async () => {
  const before = await installation.client.warmPools.get(poolId)
  expect(await hearth('pool', 'simulate', 'shop', '--size', '5', '--max', '3')).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/settings\.min.*5.*at most max, which is 3/) as string,
  })
  const { simulate } = installation.client.warmPools
  await expect(
    simulate(poolId, { claims: ['2026-01-01T00:00:00Z', '2026-03-01T00:00:00Z'] }),
  ).rejects.toMatchObject({
    details: [{ field: 'body.claims', given: '59 days', expected: 'at most 31 days' }],
  })
  const { warmPools } = await installation.client.apply({
    apiVersion: 'hearth/v1',
    name: 'empty',
    warmPools: [{ min: 0 }],
  })
  await expect(simulate(warmPools[0]?.id ?? '', {})).rejects.toThrow(/pool \S+ has no known claims/)
  expect((await installation.client.warmPools.get(poolId)).specVersion).toBe(before.specVersion)
})

test('a large simulation lets other requests through', async () => {
  const start = Date.parse('2026-01-01T00:00:00Z')
  const claims = Array.from({ length: 10_000 }, (_, index) => new Date(start + index * 200_000).toISOString())
  const { client } = installation
  const other = new HearthClient({ url: installation.url, token: installation.token })
  let answered = 0
  const settings = { min: 5, max: 50 }
  const simulating = client.warmPools.simulate(poolId, { claims, settings }).finally(() => {
    answered = -answered
  })
  while (answered >= 0) {
    await other.warmPools.get(poolId)
    if (answered >= 0) answered += 1
    if (answered > 1_000) break
  }
  expect((await simulating).claims).toBe(10_000)
  expect(Math.abs(answered)).toBeGreaterThan(2)
}, 60_000)
