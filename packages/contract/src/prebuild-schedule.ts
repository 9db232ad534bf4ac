import { Cron } from 'croner'
import { z } from 'zod'
import { cronSchema, timeZoneSchema } from './cron.ts'

export const prebuildScheduleSchema = z
  .strictObject({
    cron: cronSchema
      .optional()
      .meta({ description: 'When, as in crontab: minute hour day month weekday', example: '30 4 * * 1-5' }),
    dailyHour: z.int().min(0).max(23).optional().meta({ description: 'Each day at the start of this hour' }),
    timeZone: timeZoneSchema.default('UTC').meta({
      description:
        'In which the times are meant. A time that the clock leaves out runs as soon as it goes on; one that it shows twice runs once',
    }),
  })
  .refine(({ cron, dailyHour }) => (cron === undefined) !== (dailyHour === undefined), {
    message: 'give either cron or dailyHour',
    path: ['cron'],
  })
export type PrebuildSchedule = z.infer<typeof prebuildScheduleSchema>

/** The first time after the given one at which the schedule is due; null where none comes any more. */
export function nextRun(schedule: PrebuildSchedule, after: Date): Date | null {
  const { cron = `0 ${schedule.dailyHour ?? 0} * * *`, timeZone } = schedule
  return new Cron(cron, { timezone: timeZone, paused: true }).nextRun(after)
}
