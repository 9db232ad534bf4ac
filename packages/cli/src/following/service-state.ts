import type { DeclaredProcesses, Environment, Service } from '@hearth/contract'
import { endOf } from '../kinds/process-parts.ts'

/** Members of pools with the services that begin in them before they are claimed, as last seen. */
export interface ServiceState {
  machines: readonly { environment: Environment; expected: readonly string[] }[]
  services: readonly Service[]
}

/** Whether a service is ready, or will not be without somebody's doing. */
export function isSettled({ spec, status }: Service): boolean {
  if (spec.desired !== 'run') return true
  return !['pending', 'starting', 'restarting', 'stopping'].includes(status.phase)
}

/** Whether all services are there and settled. */
export function areSettled({ machines, services }: ServiceState): boolean {
  return machines.every(({ environment, expected }) => {
    const own = services.filter(({ spec }) => spec.environmentId === environment.metadata.id)
    const isThere = (name: string) => own.some(({ metadata }) => metadata.name === name)
    return expected.every(isThere) && own.every(isSettled)
  })
}

/** The services that begin before a claim: those that say so, and those that something depends on that begins then. */
export function begunAtStart({ tasks, services }: DeclaredProcesses): string[] {
  const all = new Map<string, { on: string; dependsOn: readonly string[] }>([
    ...Object.entries(tasks),
    ...Object.entries(services),
  ])
  const begun = new Set<string>()
  const visit = (name: string): void => {
    const one = all.get(name)
    // What a prebuild has done needs nothing any more, and whether one has is not known here.
    if (one === undefined || begun.has(name) || one.on === 'prebuild') return
    begun.add(name)
    for (const needed of one.dependsOn) visit(needed)
  }
  for (const [name, { on }] of all) if (on === 'start') visit(name)
  return Object.keys(services).filter((name) => begun.has(name))
}

/** How a service stands, in a few words. */
export function serviceStage({ spec, status }: Service): string {
  const { phase, run, restarts, waitsFor } = status
  switch (phase) {
    case 'running':
      return restarts === 0 ? 'ready' : `ready after ${restarts} restarts`
    case 'pending':
      return waitsFor === null ? phase : `waits for ${waitsFor}`
    case 'restarting':
      return `run ${run?.number} ended with ${endOf(run)}; restart ${restarts + 1} of ${spec.restart.limit}`
    default:
      return phase
  }
}

/** What has changed since it was last seen, as one plain line; null for nothing that is worth one. */
export function serviceChange(before: Service | undefined, next: Service, machine: string): string | null {
  const stage = serviceStage(next)
  if (before !== undefined && serviceStage(before) === stage) return null
  return `${machine}/${next.metadata.name}: ${stage}`
}
