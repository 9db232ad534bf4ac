import { isPrebuildEnded, mayMovePrebuild, type PrebuildPhase, prebuildPhases } from '@hearth/contract'
import type { History, Violation } from './history.ts'
import { usersOf } from './snapshots.ts'

type Prebuild = History['records']['prebuilds'][number]

/** Every prebuild comes to the end that was wanted, along the table of phases, and leaves nothing but what is started from. */
export function checkPrebuilds(history: History): Violation[] {
  const violate =
    (rule: Violation['rule'], lasting = false) =>
    (message: string): Violation => ({ rule, message, lasting })
  return [
    ...[...illegalMoves(history)].map(violate('phases', true)),
    ...[...lostPrebuilds(history), ...unfinished(history), ...withoutDisk(history)].map(
      violate('lost intent'),
    ),
    ...[...unwantedMachines(history), ...unwantedSnapshots(history)].map(violate('orphan')),
    ...[...overdue(history), ...withoutCause(history)].map(violate('deadline')),
    ...[...secretsInLayers(history)].map(violate('secrets', true)),
  ]
}

/** The phases that observers saw each prebuild in, in order. */
export function phasesOf({ streamed }: Pick<History, 'streamed'>): Map<string, PrebuildPhase[]> {
  const seen = new Map<string, PrebuildPhase[]>()
  for (const { kind, resourceId, phase } of streamed) {
    const known = prebuildPhases.find((one) => one === phase)
    if (kind !== 'Prebuild' || known === undefined) continue
    const phases = seen.get(resourceId) ?? []
    if (phases.at(-1) !== known) seen.set(resourceId, [...phases, known])
  }
  return seen
}

function* illegalMoves(history: History): Generator<string> {
  for (const [id, phases] of phasesOf(history)) {
    if (phases[0] !== 'pending') yield `prebuild ${id} was first seen as ${phases[0]}`
    for (const [index, to] of phases.entries()) {
      const from = phases[index - 1]
      if (from !== undefined && !mayMovePrebuild(from, to)) yield `prebuild ${id} went from ${from} to ${to}`
    }
  }
}

/** What users were told will be. */
function* lostPrebuilds(history: History): Generator<string> {
  const { intents, records, excused } = history
  for (const { id, projectId, wanted, setUp } of intents.prebuilds) {
    const isWithProject = intents.projects.some((project) => project.id === projectId && project.deleted)
    const row = records.prebuilds.find((prebuild) => prebuild.id === id)
    if (isWithProject) {
      if (row !== undefined) yield `prebuild ${id} is ${row.phase}, and its project was deleted`
      continue
    }
    if (row === undefined) {
      yield `prebuild ${id} is gone`
      continue
    }
    if (row.phase === wanted) {
      if (wanted === 'completed' && setUp === 'fails')
        yield `prebuild ${id} completed, and the set-up of its project fails`
      continue
    }
    if (wanted === 'deleted' && row.phase === 'deleting' && isInUse(history, id)) continue
    if (wanted === 'completed' && row.phase === 'failed' && (setUp !== 'works' || excused.failedMachines))
      continue
    if (wanted === 'completed' && row.desiredPhase === 'deleted' && isReplaced(history, row)) continue
    yield `prebuild ${id} is ${row.phase} (${row.failure ?? 'no failure'}); ${wanted} was acknowledged`
  }
}

/** Whether it had completed, and so did a newer one of its project: a project keeps only so many. */
function isReplaced(history: History, { id, projectId }: Prebuild): boolean {
  const completed = new Set(
    [...phasesOf(history)].flatMap(([seen, phases]) => (phases.includes('completed') ? [seen] : [])),
  )
  const isNewer = (one: Prebuild) => one.projectId === projectId && one.id > id && completed.has(one.id)
  return completed.has(id) && history.records.prebuilds.some(isNewer)
}

function* unfinished(history: History): Generator<string> {
  for (const { id, phase, why } of history.records.prebuilds)
    if (!isOver(phase) && !(phase === 'deleting' && isInUse(history, id)))
      yield `prebuild ${id} is still ${phase}: ${why}`
}

/** Whether something stands on a layer of a prebuild: it is deleted only when no runner has one any more. */
function isInUse({ records, hosts }: History, prebuildId: string): boolean {
  const makers = new Set(
    records.environments.flatMap((machine) => (machine.prebuildId === prebuildId ? [machine.id] : [])),
  )
  return records.snapshots.some(
    ({ id, environmentId }) =>
      environmentId !== null &&
      makers.has(environmentId) &&
      hosts.some((host) => usersOf(host, id).length > 0),
  )
}

/** Completed ones whose disk is on no runner. Whether a holder has its layer is checked with the snapshots. */
function* withoutDisk({ records }: History): Generator<string> {
  for (const { id, phase, snapshotId } of records.prebuilds) {
    if (phase !== 'completed') continue
    const snapshot = records.snapshots.find((one) => one.id === snapshotId)
    if (snapshot?.phase !== 'ready' || !snapshot.holders.some((holder) => holder.phase === 'present'))
      yield `prebuild ${id} has completed, and its snapshot is ${snapshot?.phase ?? 'unknown'}`
  }
}

function* unwantedMachines({ records }: History): Generator<string> {
  for (const { id, phase, prebuildId } of records.environments)
    if (prebuildId !== null && phase !== 'deleted')
      yield `machine ${id} was made for prebuild ${prebuildId}, and is still ${phase}`
}

/** Snapshots that are neither the disk of a completed prebuild nor a memory that it keeps, and memory of none. */
function* unwantedSnapshots({ records, hosts }: History): Generator<string> {
  const completed = records.prebuilds.filter(({ phase }) => phase === 'completed')
  const kept = new Set(
    completed.flatMap(({ snapshotId, templates }) => [snapshotId, ...templates.map((one) => one.snapshotId)]),
  )
  for (const { id, isOfPrebuild, isWanted } of records.snapshots)
    if (isOfPrebuild && isWanted && !kept.has(id)) yield `snapshot ${id} is of no prebuild that has completed`
  for (const { runnerId, layers } of hosts)
    for (const { layerId, layer } of layers) {
      const snapshot = records.snapshots.find(({ id }) => id === layerId)
      if (layer?.hasMemory === true && snapshot?.phase !== 'ready')
        yield `the memory of ${layerId} is on ${runnerId}, and its snapshot is ${snapshot?.phase ?? 'unknown'}`
    }
}

const slackMilliseconds = 3_000

function* overdue({ records }: History): Generator<string> {
  for (const { id, phase, deadline, failure, why } of records.prebuilds) {
    const late = deadline === null ? 0 : records.now.getTime() - deadline.getTime()
    if (!isOver(phase) && failure === null && late > slackMilliseconds)
      yield `prebuild ${id} is ${phase}, ${late} ms past its deadline`
    if (!isOver(phase) && why?.trim() === '') yield `prebuild ${id} is ${phase}, and does not say why`
  }
}

function* withoutCause({ records }: History): Generator<string> {
  for (const { id, phase, failure, templates } of records.prebuilds) {
    if (phase === 'failed' && failure === null) yield `prebuild ${id} failed without a cause`
    for (const template of templates)
      if (template.phase === 'failed' && template.failure === null)
        yield `the template of prebuild ${id} on ${template.runnerId} failed without a cause`
  }
}

function* secretsInLayers({ records, hosts }: History): Generator<string> {
  const ofPrebuilds = new Set(records.snapshots.flatMap(({ id, isOfPrebuild }) => (isOfPrebuild ? [id] : [])))
  for (const { runnerId, layers } of hosts)
    for (const { layerId, layer } of layers)
      if (layer?.holdsSecret === true && ofPrebuilds.has(layerId))
        yield `the layer ${layerId} of a prebuild, on ${runnerId}`
}

const isOver = (phase: PrebuildPhase) => isPrebuildEnded(phase) || phase === 'deleted'
