import { expect, test } from 'vitest'
import { drawPlan } from './plan/plan.ts'
import { failedSeeds } from './report.ts'
import type { Outcome } from './run.ts'

const outcome = (seed: number, violations: Outcome['violations']): Outcome => ({
  plan: drawPlan(seed),
  violations,
  deaths: 0,
  faultAnswers: 0,
  restSeconds: 1,
  broken: false,
  counts: {},
  folder: '',
})

test('a campaign names every failed seed again at its end, and no other', () => {
  const lost: Outcome['violations'] = [
    { rule: 'lost intent', message: 'it is gone\nat line 1', lasting: true },
  ]
  const text = failedSeeds([outcome(7, lost), outcome(8, []), outcome(9, lost)])
  expect(text).toBe(
    'failed: pnpm chaos --seed 7 --runs 1 (lost intent: it is gone)\nfailed: pnpm chaos --seed 9 --runs 1 (lost intent: it is gone)\n',
  )
})
