import type { History, Violation } from './history.ts'

type Machine = History['records']['environments'][number]

/** Every app and deployment that was promised is there and has its end, and nothing of a dead release runs. */
export function checkWebApps(history: History): Violation[] {
  const violate =
    (rule: Violation['rule']) =>
    (message: string): Violation => ({ rule, message, lasting: false })
  return [
    ...[...lost(history), ...current(history)].map(violate('lost intent')),
    ...[...leftOver(history)].map(violate('orphan')),
    ...[...waiting(history)].map(violate('deadline')),
  ]
}

const machineOf = ({ records }: History, id: string) => records.environments.find((one) => one.id === id)
const isGoing = (machine: Machine | undefined) =>
  machine === undefined || machine.phase === 'deleting' || machine.phase === 'deleted'
const isOver = (phase: string) => ['succeeded', 'failed', 'cancelled'].includes(phase)

function* lost(history: History): Generator<string> {
  const { intents, records } = history
  for (const { id, environmentId, deployments, deleted } of intents.webApps) {
    const machine = machineOf(history, environmentId)
    const row = records.webApps.find((one) => one.id === id)
    if (deleted && row !== undefined && machine?.phase === 'running')
      yield `web app ${id} was deleted, and is ${row.phase}`
    if (deleted || isGoing(machine)) continue
    if (row === undefined) {
      yield `web app ${id} is gone, and its machine is ${machine?.phase}`
      continue
    }
    for (const deployment of deployments)
      if (!records.deployments.some((one) => one.id === deployment))
        yield `deployment ${deployment} of web app ${id} is gone`
  }
}

/** What gets the requests of a space was deployed well. */
function* current({ records }: History): Generator<string> {
  for (const { id, currentDeploymentId } of records.spaces) {
    if (currentDeploymentId === null) continue
    const deployment = records.deployments.find((one) => one.id === currentDeploymentId)
    if (deployment?.phase !== 'succeeded')
      yield `space ${id} has the release of deployment ${currentDeploymentId}, which is ${deployment?.phase ?? 'gone'}`
  }
}

/** They go with their machine, and with the next release. */
function* leftOver(history: History): Generator<string> {
  const { records } = history
  for (const { id, environmentId, phase } of records.webApps)
    if (isGoing(machineOf(history, environmentId)) && machineOf(history, environmentId)?.phase !== 'deleting')
      yield `web app ${id} is ${phase}, and its machine is gone`
  for (const { id, kind, deploymentId, environmentId } of records.processes) {
    if (kind !== 'service' || deploymentId === null) continue
    if (machineOf(history, environmentId)?.phase !== 'running') continue
    const deployment = records.deployments.find((one) => one.id === deploymentId)
    if (deployment !== undefined && !isOver(deployment.phase)) continue
    const isCurrent = records.spaces.some((space) => space.currentDeploymentId === deploymentId)
    if (!isCurrent) yield `service ${id} is left of deployment ${deploymentId}, whose release serves nothing`
  }
}

function* waiting(history: History): Generator<string> {
  const { records } = history
  for (const { id, phase, environmentId, failure } of records.webApps) {
    if (machineOf(history, environmentId)?.phase !== 'running') continue
    if (phase === 'failed' ? failure === null : phase !== 'ready') yield `web app ${id} is ${phase}`
  }
  for (const { id, phase, environmentId, failure } of records.deployments) {
    if (machineOf(history, environmentId)?.phase === 'running' && !isOver(phase))
      yield `deployment ${id} is ${phase}`
    if (phase === 'failed' && failure === null) yield `deployment ${id} failed without a cause`
  }
}
