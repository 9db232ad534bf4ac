import type { LifeCause, LifeOver, LifeThen } from '@hearth/contract'
import { assertNever, spokenTime } from '@hearth/foundation'

const units = [
  { seconds: 86_400, name: 'd' },
  { seconds: 3_600, name: 'h' },
  { seconds: 60, name: 'min' },
] as const

/** `8 h`, `90 min`, `45 s`: the largest unit of which the span is a whole number. */
export function spokenSpan(seconds: number): string {
  const unit = units.find((each) => seconds % each.seconds === 0)
  return unit === undefined ? `${seconds} s` : `${seconds / unit.seconds} ${unit.name}`
}

/** What becomes of it: `it is …`. */
export function spokenThen(then: LifeThen): 'suspended' | 'stopped' | 'deleted' {
  switch (then) {
    case 'suspend':
      return 'suspended'
    case 'stop':
      return 'stopped'
    case 'delete':
      return 'deleted'
    default:
      return assertNever(then)
  }
}

/** Why an end comes: `because …`. */
export function spokenCause(cause: LifeCause, spanSeconds: number): string {
  const span = spokenSpan(spanSeconds)
  return cause === 'lifetime' ? `its lifetime of ${span} is over` : `nobody has used it for ${span}`
}

/** Why an end came: `because …`. */
export function spokenOver({ cause, spanSeconds, at }: LifeOver): string {
  const span = spokenSpan(spanSeconds)
  return cause === 'lifetime'
    ? `its lifetime of ${span} ended at ${spokenTime(at)}`
    : `nobody had used it for ${span} at ${spokenTime(at)}`
}
