import type { History, HostRecord, Violation } from './history.ts'

/** Every layer that something stands on is there, every snapshot is where it is said to be, and nothing else is. */
export function checkSnapshots(history: History): Violation[] {
  const violate =
    (rule: Violation['rule']) =>
    (message: string): Violation => ({ rule, message, lasting: false })
  return [
    ...[...missingLayers(history)].map(violate('layer in use')),
    ...[...strayLayers(history)].map(violate('orphan')),
    ...[...lostSnapshots(history), ...unheld(history), ...unfinished(history)].map(violate('lost intent')),
    ...[...withoutCause(history)].map(violate('deadline')),
  ]
}

/** What stands on layers that are not on its host. */
function* missingLayers({ hosts }: History): Generator<string> {
  for (const { runnerId, machines, layers } of hosts) {
    const present = new Set(
      layers.flatMap(({ layerId, layer }) => (layer?.isPresent === true ? [layerId] : [])),
    )
    for (const { environmentId, machine } of machines)
      if (machine?.layerId != null && !present.has(machine.layerId))
        yield `the disk of machine ${environmentId} stands on layer ${machine.layerId}, which is not on ${runnerId}`
    for (const { layerId, layer } of layers)
      if (layer?.parentId != null && !present.has(layer.parentId))
        yield `layer ${layerId} stands on ${layer.parentId}, which is not on ${runnerId}`
  }
}

/** What stands on a layer of a host. */
export function usersOf({ machines, layers }: HostRecord, id: string): string[] {
  return [
    ...machines.flatMap(({ environmentId, machine }) => (machine?.layerId === id ? [environmentId] : [])),
    ...layers.flatMap(({ layerId, layer }) => (layer?.parentId === id ? [layerId] : [])),
  ]
}

function* strayLayers({ hosts, records }: History): Generator<string> {
  const snapshots = new Map(records.snapshots.map((snapshot) => [snapshot.id, snapshot]))
  for (const host of hosts) {
    const { runnerId } = host
    for (const { layerId, layer } of host.layers) {
      if (usersOf(host, layerId).length > 0) continue
      const snapshot = snapshots.get(layerId)
      const holder = snapshot?.holders.find((one) => one.runnerId === runnerId)
      if (snapshot?.phase !== 'ready' || holder?.phase !== 'present')
        yield `layer ${layerId} is on ${runnerId}, but its snapshot is ${snapshot?.phase ?? 'unknown'}, and its holder ${holder?.phase ?? 'nobody'}`
      else if (layer !== null && layer.owner !== runnerId)
        yield `layer ${layerId} on ${runnerId} says that it is ${layer.owner}’s`
    }
  }
}

/** What users were told holds. */
function* lostSnapshots({ intents, records, excused }: History): Generator<string> {
  for (const wanted of intents.snapshots) {
    const row = records.snapshots.find(({ id }) => id === wanted.id)
    if (row === undefined) {
      yield `snapshot ${wanted.id} is gone`
      continue
    }
    const isGoing = row.phase === 'deleting' || row.phase === 'deleted'
    const isWithProject = intents.projects.some(({ id, deleted }) => id === row.projectId && deleted)
    if (wanted.deleted && !isGoing) yield `snapshot ${wanted.id} was deleted and is ${row.phase}`
    if (!wanted.deleted && isGoing && !isWithProject)
      yield `snapshot ${wanted.id} is ${row.phase}, and nobody deleted it`
    const machine = records.environments.find(({ id }) => id === row.environmentId)
    const isThere = machine !== undefined && machine.phase !== 'deleted' && machine.phase !== 'failed'
    if (row.phase === 'failed' && isThere && !excused.failedMachines)
      yield `snapshot ${wanted.id} failed (${row.failure}), and its machine is there`
  }
}

/** Holders whose layer is not on their host. */
function* unheld({ records, hosts }: History): Generator<string> {
  for (const { id, phase, holders } of records.snapshots) {
    if (phase !== 'ready') continue
    for (const holder of holders) {
      if (holder.phase !== 'present') continue
      const host = hosts.find(({ runnerId }) => runnerId === holder.runnerId)
      const isThere = host?.layers.some(({ layerId, layer }) => layerId === id && layer?.isPresent === true)
      if (isThere !== true) yield `snapshot ${id} is not on ${holder.runnerId}, which is said to hold it`
    }
  }
}

function* unfinished({ records, hosts }: History): Generator<string> {
  for (const { id, phase, holders } of records.snapshots) {
    if (phase === 'pending' || phase === 'creating') yield `snapshot ${id} is still ${phase}`
    if (phase === 'deleting' && !hosts.some((host) => usersOf(host, id).length > 0))
      yield `snapshot ${id} is still deleting, and nothing stands on it`
    for (const { runnerId, phase: held } of holders)
      if (phase === 'ready' && held !== 'present' && held !== 'failed')
        yield `snapshot ${id} is still ${held} on ${runnerId}`
  }
}

function* withoutCause({ records }: History): Generator<string> {
  for (const { id, phase, failure, holders } of records.snapshots) {
    if (phase === 'failed' && failure === null) yield `snapshot ${id} failed without a cause`
    for (const holder of holders)
      if (holder.phase === 'failed' && holder.failure === null)
        yield `the copy of snapshot ${id} on ${holder.runnerId} failed without a cause`
  }
}
