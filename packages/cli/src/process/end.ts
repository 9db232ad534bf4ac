import { setTimeout as pause } from 'node:timers/promises'
import { isAlive, type ProcessIdentity } from './identity.ts'

/**
 * Asks a process to end, and kills it after the given time; resolves when it is gone. Also works for processes that
 * are not children.
 */
export async function end(identity: ProcessIdentity, patienceMilliseconds: number): Promise<void> {
  if (!signalTo(identity, 'SIGTERM')) return
  const deadline = performance.now() + patienceMilliseconds
  while (isAlive(identity)) {
    if (performance.now() > deadline) signalTo(identity, 'SIGKILL')
    // The kernel reports the end of a process to its parent only, and this may not be our child.
    await pause(20)
  }
}

function signalTo(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false
  try {
    process.kill(identity.pid, signal)
    return true
  } catch {
    return false
  }
}
