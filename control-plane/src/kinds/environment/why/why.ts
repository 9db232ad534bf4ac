import { type Evidence, environmentPhaseTable } from '@hearth/contract'
import { assertNever, spokenTime } from '@hearth/foundation'
import type { RefusalGroup } from '../../../placement/refusals.ts'
import { becauseOf } from './deletion.ts'
import { explainFailure } from './failure.ts'
import { lifeEvidence, restBecause, restNext } from './life.ts'
import { ownerWords } from './owner.ts'
import { explainPaused } from './paused.ts'
import { explainProvisioning } from './provisioning.ts'
import { type EnvironmentSight, type Reasons, runnerName } from './sight.ts'
import { startEvidence } from './start.ts'

/** Why an environment is in the phase it is in. Pure: everything it says, it was shown. */
export function explain(seen: EnvironmentSight): Reasons {
  const reasons = explainPhase(seen)
  return { ...reasons, evidence: [...reasons.evidence, ...startEvidence(seen), ...lifeEvidence(seen)] }
}

function explainPhase(seen: EnvironmentSight): Reasons {
  const { status, spec } = seen.environment
  const { phase } = status
  if (phase === 'deleted') return explainDeleted(seen)
  if (spec.desiredPhase === 'deleted') return explainDeleting(seen)
  if (status.unreachable) return explainUnreachable(seen)
  if (status.paused !== null) return explainPaused(seen, status.paused)
  switch (phase) {
    case 'pending':
      return explainPending(seen)
    case 'provisioning':
      return explainProvisioning(seen)
    case 'failed':
      return explainFailure(seen)
    case 'running':
      return explainRunning(seen)
    case 'stopping':
    case 'starting':
    case 'suspending':
    case 'resuming':
    case 'deleting':
      return explainWait(seen)
    case 'stopped':
      return {
        sentence: `it is stopped on ${runnerName(seen)}, ${restBecause(seen, spec.desiredPhase === 'stopped' ? 'as was asked' : 'as its runner reported')}`,
        evidence: [since(seen)],
        next: restNext(seen, 'its disk is kept; it starts again when running is asked for'),
      }
    case 'suspended':
      return {
        sentence: `it is suspended on ${runnerName(seen)}, ${restBecause(seen, spec.desiredPhase === 'suspended' ? 'as was asked' : 'as its runner reported')}`,
        evidence: [since(seen)],
        next: restNext(
          seen,
          'its memory and its disk are kept on the host; it goes on where it stood when running is asked for',
        ),
      }
    default:
      return assertNever(phase)
  }
}

function explainPending(seen: EnvironmentSight): Reasons {
  const { placement, environment } = seen
  const { deadline } = environment.status
  const asked: Evidence = { what: 'it waits since', at: seen.phaseSince.toISOString() }
  const end: Evidence[] = deadline === null ? [] : [{ what: 'its deadline', at: deadline }]
  if (placement !== null && placement.runner !== null) {
    return {
      sentence: `it is about to be placed: ${placement.runner} has room`,
      evidence: [asked, ...end],
      next: 'it is placed in its turn, the oldest first',
    }
  }
  const reason = placement?.reason ?? environment.status.placement ?? 'placement has not looked at it yet'
  return {
    sentence: `no runner takes it: ${reason}`,
    evidence: [...(placement?.refusals ?? []).map(refusalEvidence), asked, ...end],
    next:
      deadline === null
        ? null
        : `it is placed as soon as a runner fits; at ${spokenTime(deadline)} it fails with no_runner_fits`,
  }
}

const namesShown = 10

function refusalEvidence({ what, names }: RefusalGroup): Evidence {
  const shown = names.slice(0, namesShown).join(', ')
  const more = names.length > namesShown ? ` and ${names.length - namesShown} more` : ''
  return { what: names.length === 1 ? what : `${what}: ${shown}${more}`, at: null }
}

function explainUnreachable(seen: EnvironmentSight): Reasons {
  const { status } = seen.environment
  const silent = seen.runner?.lastSeenAt ?? null
  const heard = silent === null ? 'is silent' : `has been silent since ${spokenTime(silent)}`
  return {
    sentence: `its runner ${runnerName(seen)} ${heard}; it was ${status.phase} when last seen`,
    evidence: [
      { what: `last heartbeat of ${runnerName(seen)}`, at: silent?.toISOString() ?? null },
      since(seen),
      ...holders(seen),
    ],
    next: afterHostLoss(seen),
  }
}

function afterHostLoss(seen: EnvironmentSight): string {
  const { claim, owner, project, environment } = seen
  const runner = runnerName(seen)
  const lost = environment.status.readyAt === null || project?.onHostLoss === 'recreate'
  if (claim !== null && lost)
    return `another environment is made for claim ${claim}; ${runner} removes this one when it returns`
  const replaced = claim === null ? ownerWords({ owner, environment }).whenLost : null
  if (replaced === null) {
    const because = claim === null ? 'it is in no pool' : 'its project says onHostLoss: wait'
    return `it waits for ${runner}, because ${because}; if only the agent stopped, the guest goes on. \`hearth delete\` gives it up`
  }
  return `${replaced}; ${runner} removes this one when it returns`
}

function explainDeleting(seen: EnvironmentSight): Reasons {
  const { status, metadata } = seen.environment
  const because = deletionOf(seen)
  const asked: Evidence = {
    what: `its deletion was wanted because ${because}`,
    at: status.deletion?.at ?? null,
  }
  if (status.phase !== 'deleting')
    return {
      sentence: `it is to be deleted because ${because}`,
      evidence: [asked],
      next: 'its deletion begins at once',
    }
  const runner = runnerName(seen)
  const heard = seen.runner?.lastSeenAt ?? null
  const delay: Evidence[] = status.failure === null ? [] : [{ what: status.failure.message, at: null }]
  return {
    sentence: `it is being deleted because ${because}, and waits for ${runner} to remove the machine and its disk`,
    evidence: [
      asked,
      { what: `${runner} was told to remove it`, at: seen.phaseSince.toISOString() },
      { what: `last heartbeat of ${runner}`, at: heard?.toISOString() ?? null },
      ...delay,
    ],
    next: `when ${runner} has been silent for its lease the environment is given up here, and ${runner} removes it on its return; \`hearth delete environment ${metadata.name} --force\` does so at once`,
  }
}

function explainDeleted(seen: EnvironmentSight): Reasons {
  const { status } = seen.environment
  const because = deletionOf(seen)
  const failure: Evidence[] = status.failure === null ? [] : [{ what: status.failure.message, at: null }]
  return {
    sentence: `it is deleted, because ${because}`,
    evidence: [
      { what: 'its deletion was wanted', at: status.deletion?.at ?? null },
      ...failure,
      { what: 'deleted', at: seen.phaseSince.toISOString() },
    ],
    next: null,
  }
}

function deletionOf(seen: EnvironmentSight): string {
  const { deletion } = seen.environment.status
  return deletion === null
    ? 'someone or something asked before the reason was kept'
    : becauseOf(deletion, { ...seen, life: seen.environment.status.life })
}

function explainRunning(seen: EnvironmentSight): Reasons {
  const draining = seen.runner?.phase === 'draining'
  const holder = seen.claim === null ? ownerWords(seen).runs : `for claim ${seen.claim}`
  const { spec, status } = seen.environment
  if (spec.desiredPhase === 'suspended' && status.failure !== null)
    return {
      sentence: `it runs on ${runnerName(seen)}, and could not be suspended: ${status.failure.message}`,
      evidence: [since(seen), ...holders(seen)],
      next: 'asked for once more, it is tried again; nothing of it is lost',
    }
  const stays = seen.claim === null ? 'and is replaced elsewhere' : 'and it stays until its claim is released'
  return {
    sentence:
      `it runs on ${runnerName(seen)} ${holder}${draining ? `; the runner is draining ${stays}` : ''}`.trimEnd(),
    evidence: [since(seen), ...restartEvidence(seen), ...holders(seen)],
    next: null,
  }
}

function restartEvidence({ environment }: EnvironmentSight): Evidence[] {
  const { restarts } = environment.status
  if (restarts == null) return []
  const often = restarts.count === 1 ? 'once' : `${restarts.count} times`
  return [{ what: `it was started again ${often}; the last time because ${restarts.cause}`, at: restarts.at }]
}

function explainWait(seen: EnvironmentSight): Reasons {
  const { phase, deadline } = seen.environment.status
  const { waitsFor } = environmentPhaseTable[phase]
  return {
    sentence: `it is ${phase} on ${runnerName(seen)} and waits for ${waitsFor ?? 'nothing'}`,
    evidence: [since(seen), { what: 'its deadline', at: deadline }],
    next: deadline === null ? null : `at ${spokenTime(deadline)} it fails unless that has happened`,
  }
}

function holders(seen: EnvironmentSight): Evidence[] {
  const { claim, project } = seen
  if (claim === null) return ownerWords(seen).holds
  const evidence: Evidence[] = [{ what: `it is claim ${claim}’s`, at: null }]
  if (project !== null)
    evidence.push({ what: `project ${project.name} says onHostLoss: ${project.onHostLoss}`, at: null })
  return evidence
}

const since = ({ environment, phaseSince }: EnvironmentSight): Evidence => ({
  what: `it is ${environment.status.phase} since`,
  at: phaseSince.toISOString(),
})
