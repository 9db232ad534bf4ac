import type { HearthClient } from '@hearth/client'
import { type Environment, environmentSchema } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import { changeLines } from '../output/environment-lines.ts'
import { type Report, runTasks } from '../output/progress.ts'
import { stepLines } from '../output/step-table.ts'
import type { Terminal } from '../output/terminal.ts'
import { followUntil } from './follow-until.ts'
import { isNewer } from './pool-state.ts'

/** Shows the steps of one environment live, with their times, until it is ready, has failed or is gone. */
export async function followBoot(
  client: HearthClient,
  environment: Environment,
  title: string,
  options: { terminal: Terminal; clock: Clock; signal: AbortSignal },
): Promise<Environment> {
  const { terminal, clock, signal } = options
  const { id } = environment.metadata
  let seen = environment
  const show = async (report: Report): Promise<string> => {
    const draw = () => report.state(stepLines(seen.status.steps, terminal, clock.now()))
    const take = (next: Environment): boolean => {
      if (isNewer(next, seen)) {
        for (const line of changeLines(seen, next)) report.event(line)
        seen = next
      }
      draw()
      return hasEnded(seen)
    }
    // Elapsed times grow between events, too.
    const ticking = setInterval(draw, 200)
    try {
      await followUntil(client, {
        signal,
        kind: 'Environment',
        resourceId: id,
        read: async (reading) => take(await client.environments.get(id, { signal: reading })),
        take: ({ resource }) => {
          const parsed = environmentSchema.safeParse(resource)
          return parsed.success && take(parsed.data)
        },
      })
    } finally {
      clearInterval(ticking)
    }
    if (seen.status.phase !== 'running') throw new Error(`${title}: ${seen.status.phase}`)
    return `${title}: ready`
  }
  const [shown] = await Promise.allSettled([
    runTasks(terminal, [{ title, work: show }], { concurrent: false }),
  ])
  // An error while following is thrown; that the environment itself failed is a result.
  if (shown.status === 'rejected' && !hasEnded(seen)) throw shown.reason
  return seen
}

function hasEnded({ status }: Environment): boolean {
  return status.phase !== 'pending' && status.phase !== 'provisioning'
}
