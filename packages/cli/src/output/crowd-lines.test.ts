import type { Environment, StepStatus } from '@hearth/contract'
import { expect, test } from 'vitest'
import { sampleMachine } from '../following/pool-state.fixture.ts'
import { CrowdNews, crowdLines, slowestText } from './crowd-lines.ts'
import type { Terminal } from './terminal.ts'

const plain = { tone: (_: string, text: string) => text } as unknown as Terminal
const start = Date.parse('2026-11-20T18:07:00.000Z')
const after = (seconds: number) => new Date(start + seconds * 1_000).toISOString()
const stepNames = [
  'create_vm',
  'ensure_server',
  'set_env_vars',
  'clone_repo',
  'init_repo',
  'project_setup',
  'repo_setup',
  'warm_pool_setup',
] as const

/** Machine `index` after that many steps. Its ninth state is `ready`, after `index` seconds. */
function environmentAt(index: number, steps: number): Environment {
  const failed = index % 40 === 7 && steps > 5
  const phase = failed ? 'failed' : steps > stepNames.length ? 'running' : 'provisioning'
  const sample = sampleMachine(phase)
  const begun = failed ? 6 : steps
  const stepAt = (name: StepStatus['name'], at: number): StepStatus => ({
    name,
    repository: null,
    phase: at < begun - 1 ? 'succeeded' : failed ? 'failed' : 'running',
    startedAt: after(at),
    finishedAt: null,
    durationMilliseconds: null,
    exitCode: null,
    output: '',
    outputBytes: 0,
    error: null,
  })
  return {
    ...sample,
    metadata: { ...sample.metadata, id: `id-${index}`, name: `shop-${index}`, createdAt: after(0) },
    status: {
      ...sample.status,
      steps: stepNames.slice(0, begun).map(stepAt),
      readyAt: phase === 'running' ? after(index) : null,
    },
  }
}

test('100 environments with eight steps each are a few lines of counts, the failed ones, and the slowest', () => {
  const steps = Array.from({ length: 100 }, () => 1)
  const environments = () => steps.map((count, index) => environmentAt(index, count))
  const news = new CrowdNews()
  const lines = [...news.see(environments(), 100)]
  let changes = 0
  // The environments take their steps in turn, 900 events in all.
  for (let round = 0; round < stepNames.length + 1; round += 1) {
    for (const index of steps.keys()) {
      steps[index] = (steps[index] ?? 0) + 1
      changes += 1
      lines.push(...news.see(environments(), 100))
    }
  }
  expect(changes).toBe(900)
  expect(lines.length).toBeLessThan(20)
  expect(lines[0]).toBe('0 of 100 ready; 100 in create_vm')
  expect(lines.filter((line) => line.includes('failed: make: no rule'))).toHaveLength(3)
  expect(lines).toContainEqual(expect.stringMatching(/^50 of 100 ready; .*3 failed/))
  expect(slowestText(environments())).toBe(
    'half were ready after 50 s; the slowest: shop-99 after 1 min 39 s, shop-98 after 1 min 38 s, shop-97 after 1 min 37 s',
  )
})

test('the drawing of 100 environments has a line of counts, up to three failed ones and the three slowest', () => {
  const environments = Array.from({ length: 100 }, (_, index) => environmentAt(index, index < 60 ? 9 : 6))
  const lines = crowdLines(environments, 100, plain, new Date(start + 60_000)).split('\n')
  expect(lines[0]).toBe('58 of 100 ready; 3 failed, 39 in project_setup')
  expect(lines).toHaveLength(7)
  expect(lines[1]).toMatch(/^shop-7 +failed in project_setup/)
  expect(lines[4]).toMatch(/^shop-60 +project_setup/)
})

test('of very many failures the first have a line each, and the others are counted', () => {
  const failed = Array.from({ length: 50 }, (_, index) => ({
    ...environmentAt(7, 6),
    metadata: { ...sampleMachine('failed').metadata, id: `id-${index}`, name: `shop-${index}` },
  }))
  const lines = new CrowdNews().see(failed, 50)
  expect(lines).toHaveLength(12)
  expect(lines.at(-1)).toContain('hearth get environments --phase failed')
})
