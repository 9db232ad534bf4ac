import type { HearthClient } from '@hearth/client'
import type { ResourceKind } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { z } from 'zod'
import { type Report, runTasks } from '../output/progress.ts'
import type { Terminal } from '../output/terminal.ts'
import { followUntil } from './follow-until.ts'
import { isNewer } from './pool-state.ts'

interface Versioned {
  metadata: { id: string }
  specVersion: number
  statusVersion: number
  status: { phase: string }
}

/** What one resource is waited for, and how it is shown meanwhile. */
export interface Followed<Item extends Versioned> {
  kind: ResourceKind
  schema: z.ZodType<Item>
  title: string
  read(id: string, options: { signal: AbortSignal }): Promise<Item>
  hasEnded(item: Item): boolean
  /** Whether it ended as it should. */
  isGood(item: Item): boolean
  /** In place of the title once it has ended well. */
  summary(item: Item): string
  /** Its present state, in any number of lines, for terminals. */
  draw(item: Item, now: Date): string
  /** What has changed, one plain line each, for logs and pipes. */
  changes(before: Item, next: Item): string[]
}

/** Shows one resource live until it has ended, well or not; returns it as it is then. */
export async function followResource<Item extends Versioned>(
  client: HearthClient,
  first: Item,
  followed: Followed<Item>,
  options: { terminal: Terminal; clock: Clock; signal: AbortSignal },
): Promise<Item> {
  const { terminal, clock, signal } = options
  const { kind, schema, title, hasEnded } = followed
  const { id } = first.metadata
  let seen = first
  const work = async (report: Report): Promise<string> => {
    const draw = () => report.state(followed.draw(seen, clock.now()))
    const take = (next: Item): boolean => {
      if (isNewer(next, seen)) {
        for (const line of followed.changes(seen, next)) report.event(line)
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
        kind,
        resourceId: id,
        read: async (reading) => take(await followed.read(id, { signal: reading })),
        take: ({ resource }) => {
          const parsed = schema.safeParse(resource)
          return parsed.success && take(parsed.data)
        },
      })
    } finally {
      clearInterval(ticking)
    }
    if (!followed.isGood(seen)) throw new Error(`${title}: ${seen.status.phase}`)
    return followed.summary(seen)
  }
  const [shown] = await Promise.allSettled([runTasks(terminal, [{ title, work }], { concurrent: false })])
  // An error while following is thrown; that the resource itself failed is a result.
  if (shown.status === 'rejected' && !hasEnded(seen)) throw shown.reason
  return seen
}
