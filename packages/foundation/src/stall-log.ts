import type { Stall } from './event-loop-watch.ts'

const mostInAWindow = 10
const windowMilliseconds = 60_000

/** Logs stalls, the first ten of each minute; the next line after those says how many were left out. */
export function stallLog(
  write: (fields: Record<string, unknown>, text: string) => void,
  now: () => number = () => performance.now(),
): (stall: Stall) => void {
  let windowAt = now()
  let logged = 0
  let notLogged = 0
  return (stall) => {
    if (now() - windowAt >= windowMilliseconds) {
      windowAt = now()
      logged = 0
    }
    if (logged === mostInAWindow) {
      notLogged += 1
      return
    }
    logged += 1
    write(
      { ...stall, ...(notLogged === 0 ? {} : { notLogged }) },
      stall.cause === 'busy'
        ? 'the event loop stood still: nothing else was answered meanwhile'
        : 'the event loop stood still: the machine gave this process no time',
    )
    notLogged = 0
  }
}
