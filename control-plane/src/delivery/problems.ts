import { type Allowance, TooMany, UnknownWork } from '@hearth/messaging'
import type { Logger } from 'pino'
import type { Metrics } from '../api/metrics.ts'

/**
 * Counts and logs messages from NATS that were refused. Log lines are limited for each sender, so that a flooding
 * runner does not fill the disk.
 */
export function tellProblems(
  log: Logger,
  metrics: Metrics,
  allowance: Allowance,
): (subject: string, problem: Error) => void {
  const untold = new Map<string, number>()
  return (subject, problem) => {
    const [, kind = 'other', runnerId = ''] = subject.split('.', 3)
    const isOfRunner = subject.startsWith('hearth.')
    if (isOfRunner) metrics.messagesSetAside.inc({ kind: labelOf(kind, problem) })
    const sender = isOfRunner ? `${kind}.${runnerId}` : subject
    if (!allowance.take(sender)) {
      if (untold.size < mostUntold || untold.has(sender)) untold.set(sender, (untold.get(sender) ?? 0) + 1)
      return
    }
    const notLogged = untold.get(sender) ?? 0
    untold.delete(sender)
    log.warn({ subject, err: problem, ...(notLogged === 0 ? {} : { notLogged }) }, 'messaging')
  }
}

function labelOf(kind: string, problem: Error): string {
  if (problem instanceof TooMany) return `${kind} flood`
  return problem instanceof UnknownWork ? `${kind} unknown` : kind
}

/** Most senders for which unlogged problems are counted. */
const mostUntold = 10_000
