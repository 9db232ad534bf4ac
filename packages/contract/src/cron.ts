import { Cron } from 'croner'
import { z } from 'zod'

/**
 * Five fields, as in crontab(5): minute, hour, day of the month, month, day of the week. Whether a time comes at all is
 * found within milliseconds for those, but not for what croner knows beyond them.
 */
const fiveFields = /^\s*(?:[\d*,/-]|[a-z]{3})+(?:\s+(?:[\d*,/-]|[a-z]{3})+){4}\s*$/i

export const cronSchema = z
  .string()
  .max(120)
  // Nothing else of a schedule is looked at without a time that can be reckoned with.
  .refine(isCron, {
    abort: true,
    error: 'five fields that name a time that comes: minute hour day month weekday',
  })

export const timeZoneSchema = z
  .string()
  .max(64)
  .refine(isTimeZone, { abort: true, error: 'a time zone of the IANA database, as in Europe/Berlin' })
  .meta({ example: 'Europe/Berlin' })

function isCron(text: string): boolean {
  if (!fiveFields.test(text)) return false
  try {
    return new Cron(text, { timezone: 'UTC', paused: true }).nextRun() !== null
  } catch {
    return false
  }
}

function isTimeZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
    return true
  } catch {
    return false
  }
}
