import { readFileSync } from 'node:fs'

/** Identifies one process permanently: a pid alone may have been reused by another program. */
export interface ProcessIdentity {
  pid: number
  /** Start time of the process, in clock ticks since boot. */
  startTime: string
}

/** The process that has this pid now, or null. */
export function identityOf(pid: number): ProcessIdentity | null {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return null
  }
  const parsed = parseStat(text)
  // A zombie has ended; its parent has only not reaped it yet.
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
