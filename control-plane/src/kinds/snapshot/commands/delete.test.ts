import { expect, test } from 'vitest'
import { refuseUsed } from './delete.ts'

const running = { id: '1', name: 'web-1', phase: 'running' }
const stopped = { id: '2', name: 'web-2', phase: 'stopped' }
const child = { id: '3', name: 'later' }
const prebuild = { id: '4', name: 'shop-small-4f1a2b' }

test('a snapshot in use is refused, by name of all that uses it', () => {
  expect(() =>
    refuseUsed(
      'base',
      { environments: [stopped], children: [child], prebuilds: [prebuild], pipelines: [] },
      false,
    ),
  ).toThrow(
    'snapshot base is used by environment web-2 (stopped), snapshot later, prebuild shop-small-4f1a2b: delete them first, or use force=true',
  )
  expect(() =>
    refuseUsed('base', { environments: [], children: [], prebuilds: [], pipelines: [] }, false),
  ).not.toThrow()
})

test('force deletes it, but not under a machine that is on', () => {
  expect(() =>
    refuseUsed(
      'base',
      { environments: [stopped], children: [child], prebuilds: [prebuild], pipelines: [] },
      true,
    ),
  ).not.toThrow()
  expect(() =>
    refuseUsed(
      'base',
      { environments: [running, stopped], children: [], prebuilds: [], pipelines: [] },
      true,
    ),
  ).toThrow('snapshot base is used by environment web-1 (running): delete or stop those that run first')
})
