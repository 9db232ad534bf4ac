import { expect, test } from 'vitest'
import { faultsOf } from './faults.ts'
import { poolScheduleSchema } from './pool-schedule.ts'

const schedule = { cron: '0 8 * * 1-5', minutes: 600, min: 10 }

test.each([
  [{ cron: 'x' }, 'cron'],
  [{ cron: '0 0 30 2 *' }, 'cron'],
  // croner takes a tenth of a second to find that this never comes, and crontab(5) does not know it.
  [{ cron: '0 0 8 * +MON#1' }, 'cron'],
  [{ cron: '0 0 L 2 *' }, 'cron'],
  [{ timeZone: 'Mars/Base' }, 'timeZone'],
  [{ minutes: 1_441 }, 'minutes'],
  [{ min: undefined }, 'min'],
])('%j is refused with its field, and never thrown over', (change, field) => {
  const { error } = poolScheduleSchema.safeParse({ ...schedule, cron: '0 8 * * *', ...change })
  expect(faultsOf(poolScheduleSchema, error?.issues ?? []).map(({ path }) => path)).toEqual([[field]])
})

test.each(['0 8 * * 1-5', '*/15 0,12 1-7/2 JAN-mar Mon,FRI'])('%s is taken', (cron) => {
  expect(poolScheduleSchema.safeParse({ ...schedule, cron, minutes: 1 }).error).toBeUndefined()
})
