import type { Clock } from '@hearth/foundation'
import type { FromChild, Start, ToChild } from './messages.ts'

export function tell(message: FromChild): void {
  process.send?.(message, () => undefined)
}

/** What the parent changes while this process runs; listened for from the start, so that no change is missed. */
export const conditions: Pick<Start, 'clockOffsetMilliseconds' | 'diskFull'> = {
  clockOffsetMilliseconds: 0,
  diskFull: false,
}

/** Resolves with the task of this process, which starts before its task is known. */
export function whenStarted(): Promise<Start> {
  return new Promise((resolve) => {
    process.on('message', (message: ToChild) => {
      switch (message.type) {
        case 'start':
          conditions.clockOffsetMilliseconds = message.clockOffsetMilliseconds
          conditions.diskFull = message.diskFull
          resolve(message)
          break
        case 'clock':
          conditions.clockOffsetMilliseconds = message.offsetMilliseconds
          break
        case 'disk':
          conditions.diskFull = message.full
          break
        default:
          message satisfies never
      }
    })
    // Ends this process when its parent is gone.
    process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
    tell({ type: 'loaded' })
  })
}

/** A clock that jumps when the parent says so. */
export const jumpingClock: Clock = {
  now: () => new Date(Date.now() + conditions.clockOffsetMilliseconds),
}
