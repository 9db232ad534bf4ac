import { expect, test } from 'vitest'
import { type PoolState, poolPhase } from './phase.ts'

const state = (change: Partial<PoolState>): PoolState => ({
  enabled: true,
  cleared: false,
  deleting: false,
  wanted: 2,
  present: 2,
  stopped: false,
  ...change,
})

test('the phase says what the pool is, the most final first', () => {
  expect(poolPhase(state({}))).toBe('ready')
  expect(poolPhase(state({ stopped: true }))).toBe('ready')
  expect(poolPhase(state({ present: 1 }))).toBe('filling')
  expect(poolPhase(state({ present: 1, stopped: true }))).toBe('failed')
  expect(poolPhase(state({ cleared: true, present: 0, stopped: true }))).toBe('cleared')
  expect(poolPhase(state({ enabled: false, cleared: true }))).toBe('disabled')
  expect(poolPhase(state({ deleting: true, enabled: false }))).toBe('deleting')
})
