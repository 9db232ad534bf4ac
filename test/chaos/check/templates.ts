import { prebuildBootAttempts } from '@hearth/contract'
import { machineMebibytes } from '../plan/plan.ts'
import type { History, Violation } from './history.ts'

type Prebuild = History['records']['prebuilds'][number]

/** The memory of the newest prebuild is kept on each runner that holds it, where its pool is enabled, and of no other. */
export function checkTemplates(history: History): Violation[] {
  return history.records.prebuilds
    .filter(({ phase, desiredPhase }) => phase === 'completed' && desiredPhase === 'completed')
    .flatMap((prebuild) => [
      ...[...brokenTemplates(history, prebuild), ...missingTemplates(history, prebuild)].map(
        (message): Violation => ({ rule: 'lost intent', message, lasting: false }),
      ),
      ...[...unwantedTemplates(history, prebuild)].map(
        (message): Violation => ({ rule: 'orphan', message, lasting: false }),
      ),
    ])
}

function* brokenTemplates(
  { records, hosts, excused }: History,
  { id, templates }: Prebuild,
): Generator<string> {
  for (const { runnerId, phase, snapshotId, failure } of templates) {
    const name = `the template of prebuild ${id} on ${runnerId}`
    if (phase === 'failed') {
      if (!excused.failedMachines)
        yield `${name} failed (${failure}), and no fault of this run may make one fail`
      continue
    }
    if (phase !== 'ready') {
      yield `${name} is still ${phase}`
      continue
    }
    const snapshot = records.snapshots.find((one) => one.id === snapshotId)
    const isHeld = snapshot?.holders.some(
      (holder) => holder.runnerId === runnerId && holder.phase === 'present',
    )
    if (snapshot?.phase !== 'ready' || isHeld !== true || !snapshot.keepsMemory)
      yield `${name} is ready, and its snapshot is ${snapshot?.phase ?? 'unknown'}`
    const layers = hosts.find((host) => host.runnerId === runnerId)?.layers ?? []
    if (!layers.some(({ layerId, layer }) => layerId === snapshotId && layer?.hasMemory === true))
      yield `${name} is ready, and its memory is not there`
  }
}

function* missingTemplates(history: History, prebuild: Prebuild): Generator<string> {
  const { records } = history
  if (wants(history, prebuild) !== true) return
  const disk = records.snapshots.find(({ id }) => id === prebuild.snapshotId)
  for (const { runnerId, phase } of disk?.holders ?? []) {
    if (phase !== 'present' || prebuild.templates.some((template) => template.runnerId === runnerId)) continue
    const runner = records.runners.find(({ id }) => id === runnerId)
    if (runner?.phase === 'active' && runner.freeMebibytes >= machineMebibytes)
      yield `prebuild ${prebuild.id} keeps no memory on ${runnerId}, which has room, and its pool is enabled`
  }
}

function* unwantedTemplates(history: History, prebuild: Prebuild): Generator<string> {
  if (prebuild.templates.length > 0 && wants(history, prebuild) === false)
    yield `prebuild ${prebuild.id} keeps memory that no pool starts from`
}

/** Whether the pool of its project starts machines from it; null where that cannot be said. */
function wants({ intents, records }: History, { id, projectId, configuration }: Prebuild): boolean | null {
  const project = intents.projects.find((one) => one.id === projectId)
  // Which prebuild fits is then a question of what it was made of.
  if (project === undefined || project.setUpChanged || project.deleted) return null
  const fits = records.prebuilds.filter(
    (one) =>
      one.projectId === projectId &&
      one.configuration === configuration &&
      one.phase === 'completed' &&
      one.desiredPhase === 'completed' &&
      one.failedBoots < prebuildBootAttempts,
  )
  const newest = fits
    .map((one) => one.id)
    .sort()
    .at(-1)
  const pool = records.pools.find((one) => one.projectId === projectId)
  return newest === id && pool !== undefined && pool.enabled
}
