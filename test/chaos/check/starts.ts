import type { History, HostRecord, Violation } from './history.ts'
import { phasesOf } from './prebuilds.ts'

/** Machines start from prebuilds that have completed, and are nobody but themselves. */
export function checkStarts(history: History): Violation[] {
  return [
    ...[...fromUnfinished(history), ...fromAnother(history)].map(
      (message): Violation => ({ rule: 'start', message, lasting: true }),
    ),
    ...[...unlikeThemselves(history)].map(
      (message): Violation => ({ rule: 'start', message, lasting: false }),
    ),
  ]
}

function* fromUnfinished(history: History): Generator<string> {
  const seen = phasesOf(history)
  for (const { id, chosenPrebuildId: chosen } of history.records.environments) {
    if (chosen === null) continue
    const row = history.records.prebuilds.find((prebuild) => prebuild.id === chosen)
    const hasCompleted = row?.phase === 'completed' || seen.get(chosen)?.includes('completed') === true
    // The events may not have come yet.
    const isGone = row === undefined || row.phase === 'deleting' || row.phase === 'deleted'
    if (!hasCompleted && !isGone) yield `machine ${id} was given prebuild ${chosen}, which is ${row.phase}`
  }
}

/** What a machine started from must have been made of a machine of the prebuild that was chosen for it. */
function* fromAnother({ records }: History): Generator<string> {
  for (const { id, chosenPrebuildId, startedFrom } of records.environments) {
    if (chosenPrebuildId === null || startedFrom?.snapshotId == null) continue
    const snapshot = records.snapshots.find((one) => one.id === startedFrom.snapshotId)
    const maker = records.environments.find((one) => one.id === snapshot?.environmentId)
    if (maker !== undefined && maker.prebuildId !== chosenPrebuildId)
      yield `machine ${id} started from ${startedFrom.snapshotId}, which is not of prebuild ${chosenPrebuildId}`
  }
}

/** A guest that went on from another one's memory acts as that one until it has taken its identity. */
function* unlikeThemselves({ records, hosts }: History): Generator<string> {
  const running = new Set(
    records.environments.flatMap(({ id, phase, desiredPhase }) =>
      phase === 'running' && desiredPhase === 'running' ? [id] : [],
    ),
  )
  for (const { machine, environmentId } of hosts.flatMap((host: HostRecord) => host.machines))
    if (machine?.actsAs != null && running.has(environmentId))
      yield `machine ${environmentId} runs and acts as ${machine.actsAs}`
}
