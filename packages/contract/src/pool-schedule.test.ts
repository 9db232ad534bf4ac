import { expect, test } from 'vitest'
import { faultsOf } from './faults.ts'
import { poolScheduleSchema } from './pool-schedule.ts'

const schedule = { cron: '0 8 * * 1-5', minutes: 600, min: 10 }

test.each([
  [{ cron: 'x' }, 'cron'],
  [{ cron: '0 0 30 2 *' }, 'cron'],
  [{ timeZone: 'Mars/Base' }, 'timeZone'],
  [{ minutes: 1_441 }, 'minutes'],
  [{ min: undefined }, 'min'],
])('%j is refused with its field, and never thrown over', (change, field) => {
  const { error } = poolScheduleSchema.safeParse({ ...schedule, cron: '0 8 * * *', ...change })
  expect(faultsOf(poolScheduleSchema, error?.issues ?? []).map(({ path }) => path)).toEqual([[field]])
})
