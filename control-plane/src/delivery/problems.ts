import { type Allowance, TooMany, UnknownWork } from '@hearth/messaging'
import type { Logger } from 'pino'
import type { Metrics } from '../api/metrics.ts'

/**
 * Counts what came over NATS and was not taken, and logs it: a few times for each runner, so that one that floods fills
 * nobody's disk.
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

/** Senders whose problems are counted while they are not logged. */
const mostUntold = 10_000
