import { expect, test } from 'vitest'
import { lastingMachines, machinesPerRunner } from './demand.ts'
import { drawPlan } from './plan.ts'

test('a pool counts with its last size, every claim, fork and environment with one machine', () => {
  expect(
    lastingMachines([
      { at: 0, do: 'apply', project: 'amber', min: 4, secret: false, prebuilds: null },
      { at: 0, do: 'resize', project: 'amber', min: 1 },
      { at: 0, do: 'claim', project: 'amber', fallback: 'cold', again: true },
      { at: 0, do: 'release' },
      { at: 0, do: 'fork', count: 2, cold: false },
      { at: 0, do: 'create environment', project: 'amber' },
      { at: 0, do: 'start from snapshot', project: 'amber', memory: false },
    ]),
  ).toBe(6)
})

test('all that users want in the end fits, and one runner alone is too small for many', () => {
  expect(machinesPerRunner([], 2)).toBe(9)
  const plans = [...Array(300).keys()].map((seed) => drawPlan(seed))
  const wanted = plans.map(({ subjects }) =>
    subjects.reduce((sum, { actions }) => sum + lastingMachines(actions), 0),
  )
  plans.forEach(({ machinesPerRunner: each, runners }, index) => {
    expect(each * runners).toBeGreaterThan(wanted[index] ?? 0)
  })
  expect(
    plans.filter(({ machinesPerRunner: each }, index) => each < (wanted[index] ?? 0)).length,
  ).toBeGreaterThan(100)
})
