import { type Allowance, TooMany, UnknownWork } from '@hearth/messaging'
import type { Logger } from 'pino'
import type { Metrics } from '../api/metrics.ts'

/**
 * Counts messages of runners that were refused, and logs every problem with NATS. Log lines are limited for each
 * sender, so that a flooding runner does not fill the disk.
 */
export function logProblems(
  log: Logger,
  metrics: Metrics,
  allowance: Allowance,
): (subject: string, problem: Error) => void {
  const unlogged = new Map<string, number>()
  return (subject, problem) => {
    const [, kind = 'other', runnerId = ''] = subject.split('.', 3)
    const isOfRunner = subject.startsWith('hearth.')
    if (isOfRunner) metrics.messagesSetAside.inc({ kind: labelOf(kind, problem) })
    const sender = isOfRunner ? `${kind}.${runnerId}` : subject
    if (!allowance.take(sender)) {
      if (unlogged.size < mostSenders || unlogged.has(sender))
        unlogged.set(sender, (unlogged.get(sender) ?? 0) + 1)
      return
    }
    const notLogged = unlogged.get(sender) ?? 0
    unlogged.delete(sender)
    log.warn({ subject, err: problem, ...(notLogged === 0 ? {} : { notLogged }) }, 'a problem with NATS')
  }
}

function labelOf(kind: string, problem: Error): string {
  if (problem instanceof TooMany) return `${kind} flood`
  return problem instanceof UnknownWork ? `${kind} unknown` : kind
}

/** Most senders for which unlogged problems are counted. */
const mostSenders = 10_000
