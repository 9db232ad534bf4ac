import type { WarmPool, WarmPoolInstance } from '@hearth/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hearth as run } from './command.ts'
import { untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

let installation: Installation
const agents: SyntheticAgent[] = []

beforeAll(async () => {
  installation = await startInstallation()
  const { client } = installation
  const failures = { sound: '', broken: 'repo_setup:1' }
  for (const [name, failing] of Object.entries(failures)) {
    const environment = { HEARTH_SYNTHETIC_FAILURES: failing }
    agents.push(await startSyntheticAgent(installation, { name, environment }))
    await client.runners.update(name, { labels: { host: name } })
    const size = { virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 1 }
    await client.environmentClasses.create({ name, spec: { ...size, runnerSelector: { host: name } } })
    await client.apply({
      apiVersion: 'hearth/v1',
      name: `${name}-shop`,
      repositories: [{ url: 'https://git.example/team/shop.git', setup: ['make dependencies'] }],
      warmPools: [{ environmentClass: name, enabled: false }],
    })
  }
})
afterAll(async () => {
  for (const agent of agents) await agent.stop()
  await installation[Symbol.asyncDispose]()
})

const hearth = (...words: string[]) => run(installation, 'pool', ...words)

test('a test that is watched shows each step with its time, and ends with 0', async () => {
  const { status, stdout, stderr } = await hearth('test', 'sound-shop', '--watch')
  expect(status).toBe(0)
  expect(stderr).toMatch(/: repo_setup\.shop succeeded in \d+ m?s/)
  expect(stdout).toMatch(/the steps of pool sound-shop-sound succeed: sound-shop-test-\w+ was ready after/)
}, 120_000)

test('a test that fails ends with 1, and shows the last lines of the step that did', async () => {
  const { status, stderr } = await hearth('test', 'broken-shop', '--watch')
  expect(status).toBe(1)
  expect(stderr).toMatch(/: repo_setup\.shop failed in \d+ m?s/)
  expect(stderr).toContain('Failed in repo_setup (command_failed)')
  expect(stderr).toContain('  | simulated failure, as the settings say')
  expect(stderr).toMatch(/look into it: hearth ssh broken-shop-test-/)
}, 120_000)

test('a pool is set, shown, listed and cleared, for people and for programs', async () => {
  const { client } = installation
  const set = await hearth('set', 'sound-shop', '--enable', '--size', '2', '--run', 'make warm', '-o', 'json')
  const pool = JSON.parse(set.stdout) as WarmPool
  expect(pool.spec).toMatchObject({ enabled: true, min: 2, setup: [{ name: 'make warm' }] })
  const { id } = pool.metadata
  await untilPool(client, id, ({ status }) => status.phase === 'ready')
  expect((await hearth('show', 'sound-shop')).stdout).toMatch(/^Ready: +2 of 2$/m)
  const listed = await hearth('instances', 'sound-shop', '--only', 'ready', '-o', 'json')
  const purposes = (JSON.parse(listed.stdout) as WarmPoolInstance[]).map(({ purpose }) => purpose).sort()
  expect(purposes).toEqual(['pool', 'pool', 'test'])
  expect((await hearth('instances', 'sound-shop', '--only', 'failed', '-o', 'json')).stdout.trim()).toBe('[]')
  expect((await hearth('clear', 'sound-shop')).stdout).toContain('stays empty until')
  expect((await client.warmPools.get(id)).status).toMatchObject({ phase: 'cleared', ready: 0 })
  expect((await hearth('set', 'sound-shop')).status).toBe(2)
}, 120_000)
