import type { History, Violation } from './history.ts'

type Row = History['records']['volumes'][number]

/** Every volume is where it was wanted last, in one machine at most, with what was on it. */
export function checkVolumes(history: History): Violation[] {
  const violate =
    (rule: Violation['rule'], lasting = false) =>
    (message: string): Violation => ({ rule, message, lasting })
  return [
    ...[...lost(history), ...elsewhere(history)].map(violate('lost intent')),
    ...[...contents(history)].map(violate('lost intent')),
    ...strays(history).map(violate('orphan')),
    ...waiting(history).map(violate('deadline')),
  ]
}

const rowOf = ({ records }: History, id: string) => records.volumes.find((row) => row.id === id)

function isGone({ records }: History, environmentId: string): boolean {
  const machine = records.environments.find(({ id }) => id === environmentId)
  return machine === undefined || machine.phase === 'deleted'
}

function* lost(history: History): Generator<string> {
  for (const { id, deleted, environmentId } of history.intents.volumes) {
    const row = rowOf(history, id)
    if (deleted) {
      if (row !== undefined) yield `volume ${id} was deleted, and is ${row.phase}`
      continue
    }
    if (row === undefined) {
      yield `volume ${id} is gone, and nobody deleted it`
      continue
    }
    const wanted = environmentId === null || isGone(history, environmentId) ? null : environmentId
    if (row.environmentId !== wanted)
      yield `volume ${id} is kept for ${row.environmentId}; ${wanted} was confirmed`
  }
}

/** One that is on a host twice could be in two machines. */
function* elsewhere(history: History): Generator<string> {
  for (const row of history.records.volumes) {
    const places = history.hosts.flatMap(({ runnerId, volumes }) =>
      volumes.filter(({ id }) => id === row.id).map((volume) => ({ runnerId, volume })),
    )
    if (places.length > 1)
      yield `volume ${row.id} is on ${places.map((place) => place.runnerId).join(' and ')}`
    const [place] = places
    if (place === undefined || !isSettled(row)) continue
    if (place.volume.environmentId !== row.environmentId)
      yield `volume ${row.id} is in ${place.volume.environmentId} on its host; it should be in ${row.environmentId}`
    const host = history.hosts.find(({ runnerId }) => runnerId === row.runnerId)
    const runs = host?.machines.some(
      ({ environmentId, machine }) => environmentId === row.environmentId && machine?.power === 'running',
    )
    if (runs === true && !row.isMounted) yield `volume ${row.id} is not mounted in its machine, which runs`
  }
}

function* contents(history: History): Generator<string> {
  for (const { id, clears, seenAt, deleted } of history.intents.volumes) {
    const row = rowOf(history, id)
    if (deleted || row === undefined || seenAt === null) continue
    const stored = history.hosts.flatMap(({ volumes }) => volumes).find((volume) => volume.id === id)
    if (stored === undefined || stored.madeAt === null) {
      yield `volume ${id} was in a machine, and its disk is gone`
      continue
    }
    if (stored.contentNumber > clears)
      yield `volume ${id} was emptied ${stored.contentNumber} times of ${clears}`
    if (clears === 0 && stored.madeAt > seenAt) yield `volume ${id} was made anew after a machine had it`
  }
}

function strays({ records, hosts }: History): string[] {
  return hosts.flatMap(({ runnerId, volumes }) =>
    volumes.flatMap(({ id }) =>
      records.volumes.some((row) => row.id === id && row.runnerId === runnerId)
        ? []
        : [`volume ${id} is on ${runnerId}, which should not have it`],
    ),
  )
}

const isSettled = ({ phase }: Row) => phase === 'attached' || phase === 'available'

/** A memory that knows a volume is not parted from it: that is said, and ends when its machine is started or stopped. */
function isHeldBySuspended({ phase, failure }: Row, { environments }: History['records']): boolean {
  if (phase !== 'failed' || failure === null) return false
  return environments.some((machine) => machine.phase === 'suspended' && failure.includes(machine.id))
}

/** Where everything is at rest, so is each volume. */
function waiting({ records }: History): string[] {
  return records.volumes.flatMap((row) =>
    isSettled(row) || row.phase === 'unplaced' || isHeldBySuspended(row, records)
      ? []
      : [`volume ${row.id} is ${row.phase}${row.failure === null ? '' : `: ${row.failure}`}`],
  )
}
