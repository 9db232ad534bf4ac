import type { HearthClient } from '@hearth/client'
import { type Runner, runnerSchema } from '@hearth/contract'
import { Deadline, HearthError } from '@hearth/foundation'
import { followUntil } from '../following/follow-until.ts'

/** Resolves with the runner once its agent has registered and sends heartbeats. */
export async function untilActive(
  client: HearthClient,
  runnerId: string,
  options: { signal: AbortSignal; seconds: number; logFile: string },
): Promise<Runner> {
  using deadline = new Deadline(options.seconds * 1_000, options.signal)
  let seen: Runner | null = null
  const look = (runner: Runner) => {
    seen = runner
    return runner.status.phase === 'active'
  }
  try {
    await followUntil(client, {
      signal: deadline.signal,
      kind: 'Runner',
      resourceId: runnerId,
      read: async (reading) => look(await client.runners.get(runnerId, { signal: reading })),
      take: (event) => {
        const runner = runnerSchema.safeParse(event.resource)
        return runner.success && look(runner.data)
      },
    })
  } catch (error) {
    if (!deadline.hasPassed || options.signal.aborted) throw error
    throw new HearthError(
      'unavailable',
      `the agent did not report within ${options.seconds} s; its log is ${options.logFile}`,
    )
  }
  return found(seen)
}

function found(runner: Runner | null): Runner {
  if (runner === null) throw new HearthError('internal', 'a runner was active before it was seen')
  return runner
}
