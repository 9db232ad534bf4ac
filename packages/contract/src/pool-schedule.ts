import { Cron } from 'croner'
import { z } from 'zod'
import { cronSchema, timeZoneSchema } from './cron.ts'
import { poolSizeSchema } from './pool-size.ts'

export const mostPoolSchedules = 16

/** A time, again and again, in which a pool has other bounds. */
export const poolScheduleSchema = z
  .strictObject({
    cron: cronSchema.meta({
      description: 'When it begins, as in crontab: minute hour day month weekday',
      example: '0 8 * * 1-5',
    }),
    timeZone: timeZoneSchema.default('UTC'),
    minutes: z.int().min(1).max(10_080).meta({ description: 'How long it lasts, up to a week' }),
    min: poolSizeSchema.optional(),
    max: poolSizeSchema.optional(),
    running: poolSizeSchema.optional(),
  })
  .refine(({ min, max, running }) => min !== undefined || max !== undefined || running !== undefined, {
    message: 'at least one of min, max and running',
    path: ['min'],
  })
  .refine((schedule) => !overlapsItself(schedule), {
    message: 'less time than from one beginning to the next: it would overlap itself',
    path: ['minutes'],
  })
export type PoolSchedule = z.infer<typeof poolScheduleSchema>

interface Times {
  cron: string
  timeZone: string
  minutes: number
}

/** A year of a schedule that begins every week, or some days of a denser one, which repeats itself. */
const beginningsLookedAt = 60

function overlapsItself({ cron, timeZone, minutes }: Times): boolean {
  const beginnings = new Cron(cron, { timezone: timeZone, paused: true }).nextRuns(beginningsLookedAt)
  return beginnings.some((begins, index) => {
    const next = beginnings[index + 1]
    return next !== undefined && next.getTime() - begins.getTime() < minutes * 60_000
  })
}

export interface Bounds {
  min: number
  max: number
  /** How many run; null for all. */
  running: number | null
}

/**
 * The bounds at a time: of schedules that last, a later one in the list counts before an earlier one. With when they
 * change by themselves; null for never.
 */
export function boundsAt(
  standard: Bounds,
  schedules: readonly PoolSchedule[],
  now: Date,
): Bounds & { until: Date | null } {
  let bounds = standard
  let until: Date | null = null
  for (const schedule of schedules) {
    const lasts = windowAt(schedule, now)
    const changes = lasts ?? nextBeginning(schedule, now)
    if (changes !== null && (until === null || changes < until)) until = changes
    if (lasts === null) continue
    const { min = bounds.min, max = bounds.max, running = bounds.running } = schedule
    bounds = { min, max, running }
  }
  // One that says less than all may cross another's bounds.
  const max = Math.max(bounds.min, bounds.max)
  const running = bounds.running === null ? null : Math.min(bounds.running, max)
  return { min: bounds.min, max, running, until }
}

/** When the window ends that lasts now; null where none does. */
function windowAt({ minutes, ...schedule }: Times, now: Date): Date | null {
  const length = minutes * 60_000
  const begins = nextBeginning(schedule, new Date(now.getTime() - length))
  return begins !== null && begins <= now ? new Date(begins.getTime() + length) : null
}

function nextBeginning({ cron, timeZone }: Pick<Times, 'cron' | 'timeZone'>, after: Date): Date | null {
  return new Cron(cron, { timezone: timeZone, paused: true }).nextRun(after)
}
