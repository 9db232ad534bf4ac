import type { Environment } from '@hearth/contract'
import { formatDuration } from './duration.ts'
import { between, environmentLines, stage } from './environment-lines.ts'
import type { Terminal } from './terminal.ts'

/** Up to this many environments get a line each; for more, their counts, the slowest and the failed are shown. */
export const mostOneByOne = 8
const mostFailed = 3
const mostSlow = 3
/** Number of failures that get a line each in a log. */
const mostFailureLines = 10

/** The current state of many environments: how many are at which step, which have failed, and which take longest. */
export function crowdLines(
  environments: readonly Environment[],
  wanted: number,
  terminal: Terminal,
  now: Date,
): string {
  const failed = environments.filter(({ status }) => status.phase === 'failed')
  const waiting = environments.filter(({ status }) => isOnItsWay(status.phase)).toSorted(byAge)
  const shown = [...failed.slice(0, mostFailed), ...waiting.slice(0, mostSlow)]
  const lines = [countsText(environments, wanted)]
  if (shown.length > 0) lines.push(environmentLines(shown, terminal, now))
  return lines.join('\n')
}

/** `30 of 100 ready; 26 pending, 12 in clone_repo.shop, 30 in project_setup, 2 failed` */
export function countsText(environments: readonly Environment[], wanted: number): string {
  const counts = new Map<string, number>()
  for (const environment of environments) {
    const { phase } = environment.status
    if (phase === 'running') continue
    const where = phase === 'provisioning' ? `in ${stage(environment)}` : phase
    counts.set(where, (counts.get(where) ?? 0) + 1)
  }
  const others = [...counts].map(([where, count]) => `${count} ${where}`)
  return [`${readyOf(environments).length} of ${wanted} ready`, others.join(', ')].filter(Boolean).join('; ')
}

/**
 * Log lines for many environments: one for each tenth that became ready, one for each of the first failures, and one
 * at the end.
 */
export class CrowdNews {
  #shown = -1
  readonly #failed = new Set<string>()

  see(environments: readonly Environment[], wanted: number): string[] {
    const lines: string[] = []
    const tenth = Math.floor((readyOf(environments).length * 10) / Math.max(1, wanted))
    if (tenth > this.#shown) lines.push(countsText(environments, wanted))
    this.#shown = Math.max(this.#shown, tenth)
    for (const { metadata, status } of environments) {
      if (status.phase !== 'failed' || this.#failed.has(metadata.id)) continue
      this.#failed.add(metadata.id)
      if (this.#failed.size <= mostFailureLines)
        lines.push(`${metadata.name}: failed: ${status.failure?.message ?? 'no cause is known'}`)
      else if (this.#failed.size === mostFailureLines + 1)
        lines.push('more have failed: hearth get environments --phase failed')
    }
    return lines
  }
}

/** Time until the environments were ready: the median and the slowest. Null when none is ready. */
export function slowestText(environments: readonly Environment[]): string | null {
  const took = readyOf(environments)
    .map(({ metadata, status }) => ({
      name: metadata.name,
      milliseconds: Date.parse(status.readyAt) - Date.parse(metadata.createdAt),
      time: between(metadata.createdAt, status.readyAt),
    }))
    .toSorted((one, other) => other.milliseconds - one.milliseconds)
  const middle = took[Math.floor(took.length / 2)]
  if (middle === undefined) return null
  const slowest = took.slice(0, mostSlow).map(({ name, time }) => `${name} after ${time}`)
  return `half were ready after ${formatDuration(middle.milliseconds)}; the slowest: ${slowest.join(', ')}`
}

type Ready = Environment & { status: { readyAt: string } }

function readyOf(environments: readonly Environment[]): Ready[] {
  return environments.filter(
    (environment): environment is Ready =>
      environment.status.phase === 'running' && environment.status.readyAt !== null,
  )
}

const isOnItsWay = (phase: Environment['status']['phase']) => phase === 'pending' || phase === 'provisioning'

const byAge = (one: Environment, other: Environment) =>
  Date.parse(one.metadata.createdAt) - Date.parse(other.metadata.createdAt)
