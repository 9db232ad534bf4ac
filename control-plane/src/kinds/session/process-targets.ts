import type { Service, SessionTarget, Task } from '@hearth/contract'
import type { Queryable } from '../../database/connection.ts'
import { type GracePeriod, graceEnd, targetOfService, targetOfTask } from './targets.ts'

/** The targets that an environment's tasks and services are, and when time alone changes one of them. */
export async function readProcessTargets(
  queryable: Queryable,
  environmentId: string,
  grace: GracePeriod,
  now: Date,
): Promise<{ targets: SessionTarget[]; next: Date | null }> {
  const { tasks, services } = await readProcesses(queryable, environmentId)
  return targetsOf(tasks, services, grace, now)
}

export function targetsOf(
  tasks: readonly Task[],
  services: readonly Service[],
  grace: GracePeriod,
  now: Date,
): { targets: SessionTarget[]; next: Date | null } {
  const servers = services.map((service) => ({ service, target: targetOfService(service, grace, now) }))
  const ends = servers.flatMap(({ service, target: { state } }) =>
    state.kind === 'terminated' && state.grace === 'tolerated' ? (graceEnd(service, grace) ?? []) : [],
  )
  const next = ends.length === 0 ? null : new Date(Math.min(...ends.map((end) => end.getTime())))
  return { targets: [...tasks.map(targetOfTask), ...servers.map(({ target }) => target)], next }
}

// Until their kinds have tables, an environment has none.
async function readProcesses(
  _queryable: Queryable,
  _environmentId: string,
): Promise<{ tasks: Task[]; services: Service[] }> {
  return { tasks: [], services: [] }
}
