import type { Clock } from '@hearth/foundation'
import type { FromChild, Start, ToChild } from './messages.ts'

export function tell(message: FromChild): void {
  process.send?.(message, () => undefined)
}

/** Resolves with what this process is to do; it was started before that was known. */
export function whenStarted(): Promise<Start> {
  return new Promise((resolve) => {
    process.on('message', (message: ToChild) => {
      if (message.type === 'start') resolve(message)
    })
    // A parent that is gone leaves nothing behind.
    process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
    tell({ type: 'loaded' })
  })
}

/** A clock that jumps when the parent says so. */
export function jumpingClock(offsetMilliseconds: number): Clock {
  let offset = offsetMilliseconds
  process.on('message', (message: ToChild) => {
    if (message.type === 'clock') offset = message.offsetMilliseconds
  })
  return { now: () => new Date(Date.now() + offset) }
}
