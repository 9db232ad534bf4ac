import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nextRun, type PrebuildSchedule, prebuildScheduleSchema } from './prebuild-schedule.ts'

const iso = (schedule: PrebuildSchedule, after: string) => nextRun(schedule, new Date(after))?.toISOString()

describe('the next run of a schedule', () => {
  test('is the daily hour in its time zone, today or tomorrow', () => {
    const daily = { dailyHour: 4, timeZone: 'UTC' }
    expect(iso(daily, '2026-06-01T03:59:59Z')).toBe('2026-06-01T04:00:00.000Z')
    expect(iso(daily, '2026-06-01T04:00:00Z')).toBe('2026-06-02T04:00:00.000Z')
    expect(iso({ ...daily, timeZone: 'Europe/Berlin' }, '2026-06-01T03:59:59Z')).toBe(
      '2026-06-02T02:00:00.000Z',
    )
    expect(iso({ ...daily, timeZone: 'Asia/Kolkata' }, '2026-06-01T00:00:00Z')).toBe(
      '2026-06-01T22:30:00.000Z',
    )
  })

  test('follows cron: working days only', () => {
    const schedule = { cron: '30 6 * * 1-5', timeZone: 'UTC' }
    // A Friday.
    expect(iso(schedule, '2026-06-05T06:30:00Z')).toBe('2026-06-08T06:30:00.000Z')
  })

  test('of a time that the clock leaves out in spring comes as soon as the clock goes on', () => {
    const schedule = { cron: '30 2 * * *', timeZone: 'Europe/Berlin' }
    expect(iso(schedule, '2026-03-28T12:00:00Z')).toBe('2026-03-29T01:00:00.000Z')
    expect(iso(schedule, '2026-03-29T01:00:00Z')).toBe('2026-03-30T00:30:00.000Z')
  })

  test('of a time that the clock shows twice in autumn comes once', () => {
    const schedule = { cron: '30 2 * * *', timeZone: 'Europe/Berlin' }
    const first = nextRun(schedule, new Date('2026-10-24T12:00:00Z'))
    expect(first?.toISOString()).toBe('2026-10-25T00:30:00.000Z')
    expect(iso(schedule, first?.toISOString() ?? '')).toBe('2026-10-26T01:30:00.000Z')
  })

  test('is after the given time, and less than 25 hours after it for a daily one, wherever and whenever', () => {
    const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Chatham']
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: 0, max: 23 }),
        fc.date({ min: new Date('2026-01-01'), max: new Date('2030-01-01'), noInvalidDate: true }),
        (timeZone, dailyHour, after) => {
          const next = nextRun({ dailyHour, timeZone }, after)?.getTime() ?? 0
          expect(next).toBeGreaterThan(after.getTime())
          expect(next - after.getTime()).toBeLessThanOrEqual(25 * 3_600_000)
        },
      ),
    )
  })
})

describe('a schedule is refused', () => {
  test.each([
    ['without a time', {}],
    ['with two', { cron: '0 4 * * *', dailyHour: 4 }],
    ['with an hour there is not', { dailyHour: 24 }],
    ['with seconds, which nobody can mean', { cron: '0 0 4 * * *' }],
    ['with a word for a cron expression', { cron: 'nightly' }],
    ['with a minute there is not', { cron: '61 4 * * *' }],
    ['with a day that never comes', { cron: '0 4 31 2 *' }],
    ['with a time zone there is not', { dailyHour: 4, timeZone: 'Europe/Atlantis' }],
    ['with what it does not know', { dailyHour: 4, jitter: 1 }],
  ])('%s', (_, schedule) => {
    expect(prebuildScheduleSchema.safeParse(schedule).success).toBe(false)
  })
})
