import { expect, test } from 'vitest'
import { faultKinds } from './draw-faults.ts'
import { drawPlan } from './plan.ts'

const seeds = [...Array(1_000).keys()]

test('the same seed is the same plan', () => {
  for (const seed of seeds.slice(0, 50)) expect(drawPlan(seed)).toEqual(drawPlan(seed))
})

test('a thousand runs have every kind of fault, and none is without one', () => {
  const drawn = seeds.map((seed) => drawPlan(seed).faults.map(({ kind }) => kind))
  expect(drawn.every((kinds) => kinds.length > 0)).toBe(true)
  expect(new Set(drawn.flat())).toEqual(new Set(faultKinds))
  for (const kind of faultKinds) expect(drawn.flat().filter((one) => one === kind).length).toBeGreaterThan(40)
})

test('tasks and services are run by users who have a machine, and started and stopped after that', () => {
  const users = seeds.flatMap((seed) => drawPlan(seed).subjects)
  const kinds = new Set<string>()
  for (const { actions } of users) {
    const done = new Set<string>()
    for (const { do: one } of actions) {
      const [verb, what] = one.split(' ')
      if (what === 'task' || what === 'service') {
        expect(done.has('claim') || done.has('create environment')).toBe(true)
        if (verb !== 'run') expect(done.has(`run ${what}`)).toBe(true)
        kinds.add(one)
      }
      done.add(one)
    }
  }
  expect([...kinds].sort()).toEqual([
    'await task',
    'run service',
    'run task',
    'start service',
    'start task',
    'stop service',
    'stop task',
  ])
})

test('every project is made before it is used, and ends once', () => {
  for (const seed of seeds) {
    const { subjects } = drawPlan(seed)
    const made = subjects.flatMap(({ actions }) =>
      actions.flatMap((action) => (action.do === 'apply' ? action.project : [])),
    )
    const used = subjects.flatMap(({ actions }) =>
      actions.flatMap((action) => ('project' in action ? action.project : [])),
    )
    expect(new Set(used)).toEqual(new Set(made))
    expect(made).toEqual([...new Set(made)])
  }
})
