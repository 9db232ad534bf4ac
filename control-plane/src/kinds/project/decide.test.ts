import { expect, test } from 'vitest'
import { decide, type SeenProject } from './decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
const later = new Date('2026-01-01T12:15:00Z')
const machine = { name: 'shop-1', phase: 'deleting', runner: 'north' }
const seen = (change: Partial<SeenProject> = {}): SeenProject => ({
  deleting: true,
  pools: [],
  machines: [],
  deadline: null,
  now,
  ...change,
})

test('a project that stays is left alone, and one that goes is removed once nothing is left of it', () => {
  expect(decide(seen({ deleting: false, machines: [machine] }))).toBeNull()
  expect(decide(seen())).toEqual({ do: 'remove' })
})

test('it waits for what is left, until a deadline that does not move', () => {
  expect(decide(seen({ pools: ['shop-small'] }))).toEqual({ do: 'wait', until: later })
  expect(decide(seen({ machines: [machine], deadline: later }))).toEqual({ do: 'wait', until: later })
})

test('after the deadline it says what keeps it, and goes on waiting', () => {
  const action = decide(seen({ pools: ['shop-small'], machines: [machine], deadline: now }))
  expect(action).toMatchObject({
    do: 'record-delay',
    until: later,
    failure: {
      code: 'deadline_passed',
      message: expect.stringContaining(
        'the pools shop-small and the environments shop-1 (deleting on north)',
      ),
    },
  })
})
