import {
  type Evidence,
  type Explanation,
  type Prebuild,
  type PrebuildTask,
  type PrebuildTemplate,
  prebuildBootAttempts,
  templateAttempts,
} from '@hearth/contract'
import { assertNever, spokenTime } from '@hearth/foundation'

/** A prebuild and what its explanation needs beside it. */
export interface PrebuildSight {
  prebuild: Prebuild
  phaseSince: Date
  project: string
  environmentClass: string
  /** The prebuild whose end it waits for. */
  before: string | null
  /** The machine it is built on, by its name and phase, and why it is where it is. */
  environment: { name: string; phase: string; placement: string | null } | null
  /** Names of runners by their ids, of its templates. */
  runners: ReadonlyMap<string, string>
  /** The runners that still have layers of one that is to go, and what stands on these there. */
  layers: readonly { runner: string; usedBy: readonly string[] }[]
  /** Whether its plan is still what the project and the class say. */
  isCurrent: boolean
  /** A newer prebuild that fits the same machines. */
  newer: string | null
}

type Reasons = Pick<Explanation, 'sentence' | 'evidence' | 'next'>

/** Why a prebuild is in the phase it is in, and whether it still fits. Pure. */
export function explain(seen: PrebuildSight): Reasons {
  const { status } = seen.prebuild
  const evidence = evidenceOf(seen)
  const late =
    status.deadline === null ? null : `at ${spokenTime(status.deadline)} it fails unless it is done`
  switch (status.phase) {
    case 'pending':
      return { sentence: explainPending(seen), evidence, next: late }
    case 'starting':
      return { sentence: `it waits for a runner to take its environment`, evidence, next: late }
    case 'running': {
      const step = status.steps.find(({ phase }) => phase === 'running')
      if (step === undefined && status.tasks.length > 0) return explainTasks(status.tasks, evidence, late)
      const doing = step === undefined ? 'the next step' : step.name
      return { sentence: `its environment runs the steps of ${seen.project}: ${doing}`, evidence, next: late }
    }
    case 'stopping':
      return {
        sentence:
          'its steps have ended; what its environment was told is removed, and the environment shut down',
        evidence,
        next: late,
      }
    case 'snapshotting':
      return {
        sentence: 'its disk is frozen, and searched for every secret of the project',
        evidence,
        next: late,
      }
    case 'completed':
      return { sentence: explainCompleted(seen), evidence, next: nextAfter(seen) }
    case 'failed':
      return {
        sentence: `it failed: ${status.failure?.message ?? 'no cause was reported'}`,
        evidence,
        next: '`hearth prebuild logs` shows what its steps printed; `hearth prebuild run` makes another',
      }
    case 'cancelling':
      return explainRemoval(seen, 'it was cancelled, and what it has made is being removed')
    case 'cancelled':
      return { sentence: 'it was cancelled', evidence, next: '`hearth prebuild run` makes another' }
    case 'deleting':
      return explainRemoval(seen, 'it is being deleted, with its environments and its snapshots')
    case 'deleted':
      return { sentence: 'it is deleted', evidence, next: null }
    default:
      return assertNever(status.phase)
  }
}

function explainTasks(tasks: readonly PrebuildTask[], evidence: Evidence[], next: string | null): Reasons {
  const open = tasks.filter(({ kind, phase }) => kind === 'task' && phase !== 'succeeded')
  const names = open.map(({ name }) => name).join(', ')
  return {
    sentence:
      open.length === 0
        ? 'the tasks that prebuilds run have ended, and the services that they needed are ended'
        : `its environment runs the tasks that prebuilds run: ${names}`,
    evidence: [
      ...evidence,
      ...tasks.map(({ kind, name, phase }) => ({ what: `${kind} ${name} is ${phase}`, at: null })),
    ],
    next,
  }
}

/** What goes stays where something stands on it; that ends by itself. */
function explainRemoval(seen: PrebuildSight, what: string): Reasons {
  const { layers, prebuild } = seen
  const { deadline } = prebuild.status
  const runners = [...new Set(layers.map(({ runner }) => runner))]
  const users = [...new Set(layers.flatMap(({ usedBy }) => usedBy))]
  const where = runners.length === 0 ? '' : `; layers of it are still on ${runners.join(', ')}`
  const stands = users.length === 1 ? 'stands' : 'stand'
  const used = users.length === 0 ? '' : `, where ${users.join(', ')} still ${stands} on them`
  const again = deadline === null ? '' : `at ${spokenTime(deadline)} its runners are asked again; `
  return {
    sentence: `${what}${where}${used}`,
    evidence: evidenceOf(seen),
    next: `${again}\`hearth prebuild delete --force\` ends it at once: runners remove what they have of it when they can`,
  }
}

function explainPending({ before }: PrebuildSight): string {
  return before === null
    ? 'it is its turn, and it waits for room in the quotas of its organization'
    : `it waits for ${before}, which is made before it: one at a time of a project and class`
}

function explainCompleted({ prebuild, project, environmentClass, isCurrent, newer }: PrebuildSight): string {
  const machines = `environments of ${project} and class ${environmentClass}`
  const { failedBoots, unexplainedBoots } = prebuild.status
  if (failedBoots >= prebuildBootAttempts)
    return `it is complete, but ${failedBoots} environments in a row could not start from it`
  if (!isCurrent)
    return `it is complete, but the repositories, the set-up, the image or the size were changed since: it does not fit ${machines} any more`
  if (failedBoots + unexplainedBoots >= prebuildBootAttempts)
    return `it is complete, but ${unexplainedBoots} environments that started from it did not answer; until others show on the same hosts whether that is the hosts' doing, it is not used`
  if (newer !== null) return `it is complete; ${newer} is newer and fits the same environments`
  return `it is complete and fits ${machines}: its disk is snapshot ${prebuild.metadata.name}`
}

function nextAfter({ prebuild, isCurrent }: PrebuildSight): string | null {
  const isUsable = isCurrent && prebuild.status.failedBoots < prebuildBootAttempts
  return isUsable ? null : '`hearth prebuild run` makes another'
}

function templateEvidence(
  { failure, failures, phase, retryAt, runnerId }: PrebuildTemplate,
  runners: PrebuildSight['runners'],
): Evidence {
  const runner = runners.get(runnerId) ?? runnerId
  if (failure === null) return { what: `its memory on ${runner} is ${phase}`, at: null }
  const count = `${failures} of ${templateAttempts} attempts failed`
  const next =
    phase !== 'failed'
      ? `${count}, and it is ${phase}`
      : retryAt === null
        ? `${count}, and it is not tried again with this prebuild`
        : `${count}, and it is tried again at ${spokenTime(retryAt)}`
  return { what: `its memory is not kept on ${runner}: ${failure.message}; ${next}`, at: null }
}

function evidenceOf(seen: PrebuildSight): Evidence[] {
  const { prebuild, phaseSince, environment } = seen
  const { status, spec } = prebuild
  const { kind, by, ref, commit } = spec.trigger
  const pushed =
    kind === 'push' ? ` of ${commit ?? 'a commit'} to ${ref ?? 'a branch'} by ${by ?? 'somebody'}` : ''
  return [
    { what: `${status.phase} since`, at: phaseSince.toISOString() },
    { what: `made for a trigger: ${kind}${pushed}`, at: prebuild.metadata.createdAt },
    ...(environment === null
      ? []
      : [
          {
            what: `built on ${environment.name}, ${environment.phase}${environment.placement === null ? '' : `: ${environment.placement}`}`,
            at: status.startedAt,
          },
        ]),
    ...(status.failure === null
      ? []
      : (status.failure.lastLines ?? []).slice(-5).map((line) => ({ what: `| ${line}`, at: null }))),
    ...status.warnings.map((warning) => ({ what: `warning: ${warning}`, at: null })),
    ...status.templates.map((template) => templateEvidence(template, seen.runners)),
  ]
}
