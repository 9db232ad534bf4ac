import type { History, Violation } from './history.ts'

const slackMilliseconds = 3_000

/** No wait is past its deadline, and nothing has failed without a cause. */
export function checkDeadlines({ records }: History): Violation[] {
  const violate = (message: string): Violation => ({ rule: 'deadline', message, lasting: false })
  return [...overdue(records), ...withoutCause(records)].map(violate)
}

function* overdue({ environments, now }: History['records']): Generator<string> {
  for (const { id, phase, deadline, failure } of environments) {
    if (deadline === null || phase === 'failed' || phase === 'deleted' || failure !== null) continue
    const late = now.getTime() - deadline.getTime()
    if (late > slackMilliseconds) yield `machine ${id} is ${phase}, ${late} ms past its deadline`
  }
}

function* withoutCause({ environments, pools, claims }: History['records']): Generator<string> {
  for (const { id, phase, failure } of environments)
    if (phase === 'failed' && failure === null) yield `machine ${id} failed without a cause`
  for (const { id, phase, failure } of pools)
    if (phase === 'failed' && failure === null) yield `pool ${id} failed without a cause`
  for (const { id, phase, failure } of claims)
    if (phase === 'failed' && failure === null) yield `claim ${id} failed without a cause`
}
