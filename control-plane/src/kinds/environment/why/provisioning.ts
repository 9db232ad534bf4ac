import { isDone, stepDeadlineSeconds, stepKey } from '@hearth/contract'
import { spokenTime } from '@hearth/foundation'
import { type EnvironmentSight, type Reasons, runnerName } from './sight.ts'

/** Which step runs, since when, and until when it may. */
export function explainProvisioning(seen: EnvironmentSight): Reasons {
  const { steps, deadline } = seen.environment.status
  const end = { what: 'its deadline', at: deadline }
  const running = steps.find(({ phase }) => phase === 'running')
  const done = steps.filter(isDone).length
  const placed = { what: `placed on ${runnerName(seen)}`, at: seen.phaseSince.toISOString() }
  if (running === undefined) {
    const what = done === 0 ? 'has not begun with it yet' : `has done ${done} of ${steps.length} steps`
    return {
      sentence: `it is being made: ${runnerName(seen)} ${what}`,
      evidence: [placed, { what: `last heartbeat of ${runnerName(seen)}`, at: heard(seen) }, end],
      next: deadline === null ? null : `at ${spokenTime(deadline)} it fails unless it is ready`,
    }
  }
  const began = running.startedAt === null ? '' : `, begun at ${spokenTime(running.startedAt)}`
  const last = running.output.trimEnd().split('\n').at(-1) ?? ''
  return {
    sentence: `it is being made: ${stepKey(running)} runs on ${runnerName(seen)}${began}, step ${done + 1} of ${steps.length}`,
    evidence: [
      placed,
      { what: `${stepKey(running)} began`, at: running.startedAt },
      ...(last === '' ? [] : [{ what: `| ${last}`, at: null }]),
      end,
    ],
    next: `the step may take ${stepDeadlineSeconds[running.name]} s unless its commands say otherwise, and then fails`,
  }
}

const heard = ({ runner }: EnvironmentSight) => runner?.lastSeenAt?.toISOString() ?? null
