import { setTimeout as pause } from 'node:timers/promises'
import { Deadline, HearthError } from '@hearth/foundation'
import { lastLines } from '../process/last-lines.ts'
import type { SupervisedProcess } from './supervised-process.ts'

/** Resolves once the control plane is ready; throws with the end of its log when it ends or takes a minute. */
export async function untilReady(
  url: string,
  process: SupervisedProcess,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!(await isReady(url, signal))) {
    signal.throwIfAborted()
    process.assertRunning(lastLines)
    if (performance.now() > deadline) {
      throw new HearthError(
        'unavailable',
        `the control plane is not ready after a minute; its log ends with:\n${lastLines(process.logFile)}`,
      )
    }
    await pause(25)
  }
}

async function isReady(url: string, signal: AbortSignal): Promise<boolean> {
  using deadline = new Deadline(2_000, signal)
  const answer = await fetch(`${url}/healthz/ready`, { signal: deadline.signal }).catch(() => null)
  await answer?.arrayBuffer().catch(() => undefined)
  return answer?.status === 200
}
