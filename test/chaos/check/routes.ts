import type { History, Violation } from './history.ts'

type Machine = History['records']['environments'][number]

/** Every route that was promised is served by the host of its machine, and by no other, as it was asked for last. */
export function checkRoutes(history: History): Violation[] {
  const violate =
    (rule: Violation['rule']) =>
    (message: string): Violation => ({ rule, message, lasting: false })
  return [
    ...[...lost(history), ...unserved(history)].map(violate('lost intent')),
    ...strays(history).map(violate('orphan')),
    ...waiting(history).map(violate('deadline')),
  ]
}

const isGoing = (machine: Machine | undefined) =>
  machine === undefined || machine.phase === 'deleting' || machine.phase === 'deleted'

const machineOf = ({ records }: History, id: string) => records.environments.find((one) => one.id === id)

function* lost(history: History): Generator<string> {
  for (const wanted of history.intents.routes) {
    const row = history.records.routes.find(({ id }) => id === wanted.id)
    if (wanted.deleted) {
      if (row !== undefined) yield `route ${wanted.id} was deleted, and is ${row.phase}`
      continue
    }
    if (row === undefined) {
      const machine = machineOf(history, wanted.environmentId)
      if (!isGoing(machine)) yield `route ${wanted.id} is gone, and its machine is ${machine?.phase}`
    } else if (row.port !== wanted.port) {
      yield `route ${wanted.id} leads to port ${row.port}; ${wanted.port} was confirmed`
    }
  }
}

function* unserved(history: History): Generator<string> {
  for (const { id, phase, runnerId, environmentId, port } of history.records.routes) {
    if (phase !== 'active') continue
    const machine = machineOf(history, environmentId)
    if (machine?.runnerId !== runnerId)
      yield `route ${id} is on ${runnerId}, and its machine on ${machine?.runnerId}`
    const served = history.hosts
      .find((host) => host.runnerId === runnerId)
      ?.routes.find((one) => one.id === id)
    if (served === undefined) yield `route ${id} is active, and not on its host ${runnerId}`
    else if (served.port !== port || served.environmentId !== environmentId)
      yield `route ${id} leads to port ${served.port} of ${served.environmentId} on its host; it should to ${port} of ${environmentId}`
  }
}

function strays(history: History): string[] {
  const { records, hosts } = history
  const gone = records.routes.flatMap(({ id, environmentId }) =>
    isGoing(machineOf(history, environmentId)) ? [`route ${id} is there, and its machine is not`] : [],
  )
  const left = hosts.flatMap(({ runnerId, routes }) =>
    routes.flatMap(({ id }) =>
      records.routes.some((row) => row.id === id && row.runnerId === runnerId)
        ? []
        : [`route ${id} is on ${runnerId}, which should not serve it`],
    ),
  )
  return [...gone, ...left]
}

/** Where everything is at rest, only what has no machine yet, or failed with a cause, is not served. */
function waiting(history: History): string[] {
  return history.records.routes.flatMap(({ id, phase, environmentId, failure }) => {
    if (phase === 'active') return []
    if (phase === 'pending' && machineOf(history, environmentId)?.runnerId == null) return []
    return [`route ${id} is ${phase}${failure === null ? '' : `: ${failure}`}`]
  })
}
