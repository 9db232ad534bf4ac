import type { Evidence, Explanation, Snapshot, SnapshotDeletion, SnapshotHolder } from '@hearth/contract'
import { assertNever, spokenTime } from '@hearth/foundation'

/** A snapshot and what its explanation needs beside it. */
export interface SnapshotSight {
  snapshot: Snapshot
  phaseSince: Date
  /** The machine it was made of; null when that is not on record any more. */
  environment: string | null
  /** Why it can be copied to no other runner; null where it can. */
  uncopied: string | null
  /** What uses it. */
  users: readonly string[]
  /** Names of environments and snapshots by their ids, for what keeps a layer. */
  names: ReadonlyMap<string, string>
}

type Reasons = Pick<Explanation, 'sentence' | 'evidence' | 'next'>

/** Why a snapshot is in the phase it is in. Pure. */
export function explain(seen: SnapshotSight): Reasons {
  const { status } = seen.snapshot
  const runners = status.holders.map(({ runner }) => runner).join(', ')
  const deadline = status.deadline === null ? null : spokenTime(status.deadline)
  const evidence = [since(seen), ...status.holders.map((holder) => holderEvidence(seen, holder))]
  switch (status.phase) {
    case 'pending':
      return {
        sentence: `it waits for ${runners} to freeze ${origin(seen)}`,
        evidence,
        next: `at ${deadline} it fails unless that has begun`,
      }
    case 'creating':
      return {
        sentence: `${runners} freezes ${origin(seen)}`,
        evidence,
        next: `at ${deadline} it fails unless that is done`,
      }
    case 'ready':
      return {
        sentence: explainReady(seen),
        evidence: [...evidence, ...uncopied(seen), ...uses(seen)],
        next: null,
      }
    case 'failed':
      return {
        sentence: `it could not be made, or is lost: ${status.failure?.message ?? 'no cause was reported'}`,
        evidence,
        next: 'make another; `hearth snapshot delete` removes the record',
      }
    case 'deleting':
      return {
        sentence: `it is being deleted because ${becauseOf(status.deletion)}, and waits for ${runners}${kept(seen)}`,
        evidence,
        next: isKept(seen)
          ? 'its disk goes as soon as nothing stands on it; its memory is gone already'
          : `at ${deadline} its runners are asked again`,
      }
    case 'deleted':
      return { sentence: `it is deleted, because ${becauseOf(status.deletion)}`, evidence, next: null }
    default:
      return assertNever(status.phase)
  }
}

const origin = ({ environment }: SnapshotSight) =>
  environment === null ? 'an environment that is not on record any more' : `environment ${environment}`

function explainReady(seen: SnapshotSight): string {
  const { memory, holders } = seen.snapshot.status
  const reachable = holders.filter(({ phase, unreachable }) => phase === 'present' && !unreachable)
  const silent = holders.filter(({ unreachable }) => unreachable)
  const where =
    reachable.length > 0
      ? `environments start from it on ${reachable.map(({ runner }) => runner).join(', ')}`
      : `nothing starts from it now: ${silentText(silent.map(({ runner }) => runner))}`
  const what =
    memory === null || !seen.snapshot.spec.memory
      ? 'the disk'
      : memory.kept
        ? 'the disk and the memory'
        : `the disk alone (${memory.reason})`
  return `it holds ${what} of ${origin(seen)}${leftOut(seen)}; ${where}`
}

function leftOut({ snapshot }: SnapshotSight): string {
  const { volumesLeftOut: all } = snapshot.status
  if (all.length === 0) return ''
  const named = all.map(({ name, mountPath }) => `${name} at ${mountPath}`).join(', ')
  return `, without its ${all.length === 1 ? 'volume' : 'volumes'} (${named}), in whose place is an empty folder`
}

function silentText(runners: readonly string[]): string {
  if (runners.length === 0) return 'no runner has it whole'
  return `${runners.join(', ')} ${runners.length === 1 ? 'is' : 'are'} silent`
}

const isKept = ({ snapshot }: SnapshotSight) =>
  snapshot.status.holders.some(({ keptBy }) => keptBy.length > 0)

function kept(seen: SnapshotSight): string {
  const by = seen.snapshot.status.holders.flatMap(({ keptBy }) => keptBy)
  if (by.length === 0) return ' to remove it'
  const named = [...new Set(by)].map((id) => seen.names.get(id) ?? id)
  return `, where ${named.join(', ')} still ${named.length === 1 ? 'stands' : 'stand'} on its disk`
}

function becauseOf(deletion: SnapshotDeletion | null): string {
  switch (deletion?.reason) {
    case undefined:
      return 'the reason was not kept'
    case 'requested':
      return 'somebody deleted it'
    case 'project_deleted':
      return 'its project was deleted'
    case 'too_many':
      return 'its project keeps no more checkpoints of one environment'
    case 'too_old':
      return 'its project keeps checkpoints no longer'
    case 'unused':
      return 'it was made for forks, and none of them uses it any more'
    default:
      return assertNever(deletion?.reason as never)
  }
}

function holderEvidence(seen: SnapshotSight, holder: SnapshotHolder): Evidence {
  const { runner, phase, unreachable, progress, failure, copiedFrom } = holder
  const done = progress === null ? '' : ` (${progress.doneBytes} of ${progress.totalBytes} bytes)`
  const from = copiedFrom === null ? '' : ` from ${copiedFrom}`
  const isWaiting = phase === 'pending' && seen.snapshot.status.phase === 'ready'
  const holds = progress === null ? 'holds it' : `holds it, and makes it stand on the image alone${done}`
  const words =
    phase === 'present'
      ? holds
      : phase === 'copying'
        ? `copies it${from}${done}`
        : isWaiting
          ? `waits to copy it${from}`
          : `is at ${phase}${done}`
  const cause = failure === null ? '' : `: ${failure.message}`
  const silence = unreachable ? ', and is silent' : ''
  return { what: `${runner} ${words}${silence}${cause}`, at: seen.snapshot.status.readyAt }
}

const uncopied = ({ uncopied: what }: SnapshotSight): Evidence[] =>
  what === null ? [] : [{ what, at: null }]

const uses = ({ users }: SnapshotSight): Evidence[] =>
  users.length === 0 ? [] : [{ what: `used by ${users.join(', ')}`, at: null }]

const since = ({ snapshot, phaseSince }: SnapshotSight): Evidence => ({
  what: `it is ${snapshot.status.phase} since`,
  at: phaseSince.toISOString(),
})
