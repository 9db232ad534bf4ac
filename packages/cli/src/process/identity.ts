import { readFileSync } from 'node:fs'

/** One process for good: a pid alone may have been given to another program by now. */
export interface ProcessIdentity {
  pid: number
  /** When it started, in clock ticks since boot, as the kernel says. */
  startTime: string
}

/** Who has this pid now, or null when nobody has. */
export function identityOf(pid: number): ProcessIdentity | null {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return null
  }
  const parsed = parseStat(text)
  // A zombie has ended; only its parent has not looked yet.
  return parsed === null || parsed.state === 'Z' ? null : { pid, startTime: parsed.startTime }
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identityOf(identity.pid)?.startTime === identity.startTime
}

/** Fields 3 and 22 of /proc/PID/stat; the name in field 2 may hold spaces and brackets. */
export function parseStat(text: string): { state: string; startTime: string } | null {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state] = fields
  const startTime = fields[19]
  return state === undefined || startTime === undefined ? null : { state, startTime }
}
