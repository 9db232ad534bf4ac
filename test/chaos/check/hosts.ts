import type { History, Violation } from './history.ts'

/** What a machine at rest in its phase is on its host. */
const powers: Readonly<Record<string, string>> = {
  running: 'running',
  stopped: 'shut_off',
  suspended: 'suspended',
}

/** Every wanted machine is on the right host in its desired state, and nothing else is there. */
export function checkHosts({ records, hosts }: History): Violation[] {
  const violations: Violation[] = []
  const violate = (rule: Violation['rule'], message: string) =>
    violations.push({ rule, message, lasting: false })
  const environments = new Map(records.environments.map((environment) => [environment.id, environment]))
  for (const { runnerId, agents, machines } of hosts) {
    if (agents !== 1) violate('fencing', `${agents} agents act for runner ${runnerId}`)
    for (const { environmentId, machine } of machines) {
      const row = environments.get(environmentId)
      if (row === undefined || row.phase === 'deleted' || row.runnerId !== runnerId) {
        const wanted = row === undefined ? 'unknown' : `${row.phase} on ${row.runnerId ?? 'no runner'}`
        violate('orphan', `machine ${environmentId} is on ${runnerId}, but it is ${wanted}`)
      } else if (machine !== null && machine.owner !== runnerId) {
        violate('fencing', `machine ${environmentId} on ${runnerId} says that it is ${machine.owner}’s`)
      }
    }
  }
  for (const { id, phase, runnerId, specVersion } of records.environments) {
    const power = powers[phase]
    if (power === undefined) continue
    const machine = hosts
      .find((host) => host.runnerId === runnerId)
      ?.machines.find(({ environmentId }) => environmentId === id)?.machine
    if (machine === undefined || machine === null) {
      violate('lost intent', `machine ${id} is ${phase} and is not on its host ${runnerId}`)
      continue
    }
    if (machine.holdsCredentials)
      violate('secrets', `machine ${id} is ${phase}, and what opened its repositories is still in it`)
    if (machine.power !== power)
      violate('lost intent', `machine ${id} is ${phase} and on its host ${machine.power}`)
    if (machine.generation !== specVersion)
      violate('lost intent', `machine ${id} shows generation ${machine.generation}; ${specVersion} is wanted`)
  }
  return violations
}
