import { expect, test } from 'vitest'
import { decideDue } from './due.ts'

const schedule = { dailyHour: 4, timeZone: 'UTC' }
const now = new Date('2026-06-10T12:00:00Z')
const tomorrow = new Date('2026-06-11T04:00:00Z')

test('a new schedule is not due before its first time', () => {
  expect(decideDue(null, schedule, now)).toEqual({ isDue: false, nextAt: tomorrow })
})

test('a schedule is due when its time has come, and then again at its next', () => {
  expect(decideDue({ schedule, nextAt: now }, schedule, now)).toEqual({ isDue: true, nextAt: tomorrow })
  expect(decideDue({ schedule, nextAt: tomorrow }, schedule, now)).toEqual({ isDue: false, nextAt: tomorrow })
})

test('what was missed for a week is made once', () => {
  const missed = { schedule, nextAt: new Date('2026-06-03T04:00:00Z') }
  expect(decideDue(missed, schedule, now)).toEqual({ isDue: true, nextAt: tomorrow })
})

test('a schedule that was changed or taken away does not run for the times of the one before it', () => {
  const stored = { schedule: { dailyHour: 3, timeZone: 'UTC' }, nextAt: new Date('2026-06-10T03:00:00Z') }
  expect(decideDue(stored, schedule, now)).toEqual({ isDue: false, nextAt: tomorrow })
  expect(decideDue(stored, null, now)).toEqual({ isDue: false, nextAt: null })
})
