import { type LifeSpec, type LifeThen, lifeThenSchema, longestLifeSeconds } from '@hearth/contract'
import { type Command, InvalidArgumentError, Option } from 'commander'

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3_600, d: 86_400 }

/** `45s`, `30m`, `8h`, `2d`, in seconds. */
export function span(text: string): number {
  const [, digits, unit = ''] = /^(\d+)(s|m|min|h|d)$/.exec(text) ?? []
  const seconds = Number(digits) * (unitSeconds[unit] ?? Number.NaN)
  if (seconds >= 1 && seconds <= longestLifeSeconds) return seconds
  throw new InvalidArgumentError('a span like 45s, 30m, 8h or 2d is needed, at most ten years.')
}

const spanOrNone = (text: string) => (text === 'none' ? null : span(text))

export interface LifeOptions {
  lifetime?: number | null
  lifetimeThen?: LifeThen
  idle?: number | null
  idleThen?: LifeThen
}

/** The options that say how long machines live. */
export function addLifeOptions(command: Command): Command {
  const follows = (flags: string, description: string) =>
    new Option(flags, description).choices(lifeThenSchema.options)
  return command
    .option(
      '--lifetime <span>',
      'when a machine ends after it was claimed, as 8h; none for never',
      spanOrNone,
    )
    .addOption(follows('--lifetime-then <what>', 'what becomes of it then (default: delete)'))
    .option('--idle <span>', 'when it ends after nobody has used it, as 30m; none for never', spanOrNone)
    .addOption(follows('--idle-then <what>', 'what becomes of it then (default: suspend)'))
}

/** What the options say; undefined where they say nothing. */
export function lifeOf({ lifetime, lifetimeThen, idle, idleThen }: LifeOptions): LifeSpec | undefined {
  const life = {
    ...(lifetime === undefined ? {} : { lifetimeSeconds: lifetime }),
    ...(lifetimeThen === undefined ? {} : { lifetimeThen }),
    ...(idle === undefined ? {} : { idleSeconds: idle }),
    ...(idleThen === undefined ? {} : { idleThen }),
  }
  return Object.keys(life).length === 0 ? undefined : life
}
