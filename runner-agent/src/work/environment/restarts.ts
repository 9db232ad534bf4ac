import type { Restarts } from '@hearth/contract'
import { reasonOf } from './machine-origin.ts'
import type { EnvironmentRecord } from './record.ts'

/** A machine that crashes more often than so within an hour is not started again. */
export const mostRestartsAnHour = 5
const hourMilliseconds = 3_600_000

type Kept = Pick<EnvironmentRecord, 'restarts' | 'restartCount'>

export function restartsLately({ restarts }: Kept, now: Date): number {
  return restarts.filter(({ at }) => Date.parse(at) > now.getTime() - hourMilliseconds).length
}

export function withRestart({ restarts, restartCount }: Kept, cause: string, now: Date): Kept {
  const restart = { at: now.toISOString(), cause: reasonOf(cause) }
  return { restarts: [...restarts, restart].slice(-mostRestartsAnHour), restartCount: restartCount + 1 }
}

export function reportedRestarts({ restarts, restartCount }: Kept): Restarts | null {
  const last = restarts.at(-1)
  return last === undefined ? null : { count: restartCount, ...last }
}
