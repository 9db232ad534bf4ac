import type { LifeSpec, LifeStatus, LifeThen } from '@hearth/contract'
import { formatDuration } from './duration.ts'

const becomes: Readonly<Record<LifeThen, string>> = {
  suspend: 'suspended',
  stop: 'stopped',
  delete: 'deleted',
}

/** When a machine ends, in lines of a description. */
export function lifeFields(life: LifeStatus | null, now: Date): (readonly [string, string | null])[] {
  if (life === null) return []
  const { endsAt, lifetimeThen, idleSeconds, idleThen, idleEndsAt, activeAt, warning, over } = life
  const unused = idleSeconds === null ? null : formatDuration(idleSeconds * 1_000)
  return [
    ['Ends', endsAt === null ? null : `${endsAt} (${inWords(endsAt, now)}), then ${becomes[lifetimeThen]}`],
    [
      'Ends unused',
      unused === null
        ? null
        : `after ${unused}, then ${becomes[idleThen]}${idleEndsAt === null ? '' : `: ${idleEndsAt} (${inWords(idleEndsAt, now)})`}`,
    ],
    ['Last used', idleSeconds === null ? null : activeAt],
    [
      'Warned',
      warning === null ? null : `${warning.at}: it is ${becomes[warning.follows]} at ${warning.endsAt}`,
    ],
    [
      'Ended',
      over === null
        ? null
        : `${over.at}: ${over.cause === 'idle' ? 'nobody used it' : 'its lifetime was over'}`,
    ],
  ]
}

/** The nearest end, short enough for a table. */
export function nextEnd(life: LifeStatus | null, now: Date): string {
  const ends = [life?.endsAt, life?.idleEndsAt].flatMap((end) => (end == null ? [] : [end])).sort()
  return ends[0] === undefined ? '-' : inWords(ends[0], now)
}

/** What a project or a pool says of lives; null where that is nothing. */
export function lifeSaid(life: LifeSpec): string | null {
  const spanText = (seconds: number | null) => (seconds === null ? 'none' : formatDuration(seconds * 1_000))
  const { lifetimeSeconds, lifetimeThen, idleSeconds, idleThen } = life
  const parts = [
    lifetimeSeconds === undefined ? null : `lifetime ${spanText(lifetimeSeconds)}`,
    lifetimeThen === undefined ? null : `then ${lifetimeThen}`,
    idleSeconds === undefined ? null : `unused ${spanText(idleSeconds)}`,
    idleThen === undefined ? null : `then ${idleThen}`,
  ].filter((part) => part !== null)
  return parts.length === 0 ? null : parts.join(', ')
}

function inWords(time: string, now: Date): string {
  const left = Date.parse(time) - now.getTime()
  return left <= 0 ? 'now' : `in ${formatDuration(Math.max(1_000, left))}`
}
