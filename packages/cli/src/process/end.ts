import { setTimeout as pause } from 'node:timers/promises'
import { isAlive, type ProcessIdentity } from './identity.ts'

/** Asks a process to end, and after the patience ends it; returns when it is gone. Works for other people's children too. */
export async function end(identity: ProcessIdentity, patienceMilliseconds: number): Promise<void> {
  if (!signalTo(identity, 'SIGTERM')) return
  const deadline = performance.now() + patienceMilliseconds
  while (isAlive(identity)) {
    if (performance.now() > deadline) signalTo(identity, 'SIGKILL')
    // The kernel tells only a parent when its child ends; this may be no child of ours.
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
