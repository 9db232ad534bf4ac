import type { Event, ResourceKind } from '@hearth/contract'
import {
  type WatchEventsRequest_ResourceTypeFilter as Filter,
  ResourceOperation,
  ResourceType,
} from '../generated/gitpod/v1/event_pb.ts'

/** One event in Ona's words, and whose resource it is about. */
export interface SeenEvent {
  event: { operation: ResourceOperation; resourceType: ResourceType; resourceId: string }
  creatorId: string | null
}

const types: Readonly<Partial<Record<ResourceKind, readonly ResourceType[]>>> = {
  Environment: [ResourceType.ENVIRONMENT],
  EnvironmentClass: [ResourceType.ENVIRONMENT_CLASS],
  Prebuild: [ResourceType.PREBUILD],
  Project: [ResourceType.PROJECT],
  Runner: [ResourceType.RUNNER],
  Service: [ResourceType.SERVICE],
  Snapshot: [ResourceType.SNAPSHOT],
  // Its last execution is told of beside it.
  Task: [ResourceType.TASK],
  WarmPool: [ResourceType.WARM_POOL],
}
const ofMachines: ReadonlySet<string> = new Set(['Task', 'Service'])

/** The start of a task that an event is about too, for those who watch its environment. */
export function startIn(
  { kind, resource, resourceId }: Event,
  environmentId: string | null,
): { taskId: string; request: number } | null {
  if (kind !== 'Task' || environmentId === null || environmentOf(resource) !== environmentId) return null
  const { request = 0 } = (resource as { spec?: { request?: number } }).spec ?? {}
  return resourceId === null || request === 0 ? null : { taskId: resourceId, request }
}

/**
 * What an event of Hearth is for those who watch one environment, or (null) the organization. `executionId` is that of the
 * start that it is about too.
 */
export function toOnaEvents(
  event: Event,
  environmentId: string | null,
  executionId: string | null,
): SeenEvent[] {
  const { kind, resource } = event
  const about = kind === 'Environment' ? event.resourceId : environmentOf(resource)
  if (environmentId === null ? ofMachines.has(kind) : about !== environmentId) return []
  // An environment is what its claim and the routes to its ports are about.
  const isPart = kind === 'Claim' || kind === 'Route'
  const resourceId = isPart ? about : event.resourceId
  if (resourceId === null) return []
  const kinds = isPart ? [ResourceType.ENVIRONMENT] : (types[kind] ?? [])
  const operation = isPart ? ResourceOperation.UPDATE_STATUS : operationOf(event)
  const creatorId = creatorOf(resource)
  const seen = kinds.map((resourceType) => ({ event: { operation, resourceType, resourceId }, creatorId }))
  if (executionId === null) return seen
  const execution = {
    operation: ResourceOperation.UPDATE_STATUS,
    resourceType: ResourceType.TASK_EXECUTION,
    resourceId: executionId,
  }
  return [...seen, { event: execution, creatorId }]
}

function operationOf({ verb, specVersion, resource }: Event): ResourceOperation {
  if (verb === 'created') return ResourceOperation.CREATE
  if (verb === 'deleted') return ResourceOperation.DELETE
  const { status } = resource as { status?: { observedSpecVersion?: number } }
  const isNews = specVersion !== null && (status?.observedSpecVersion ?? specVersion) < specVersion
  return isNews ? ResourceOperation.UPDATE : ResourceOperation.UPDATE_STATUS
}

function environmentOf(resource: Event['resource']): string | null {
  const { spec, status } = resource as {
    spec?: { environmentId?: string | null }
    status?: { environmentId?: string | null }
  }
  return spec?.environmentId ?? status?.environmentId ?? null
}

const creatorOf = (resource: Event['resource']): string | null =>
  (resource as { metadata?: { creator?: string | null } }).metadata?.creator ?? null

/** Whether any filter lets it through; none lets all through. */
export function isWatched({ event, creatorId }: SeenEvent, filters: readonly Filter[]): boolean {
  if (filters.length === 0) return true
  return filters.some(
    ({ resourceType, resourceIds, creatorIds }) =>
      resourceType === event.resourceType &&
      (resourceIds.length === 0 || resourceIds.includes(event.resourceId)) &&
      (creatorIds.length === 0 || (creatorId !== null && creatorIds.includes(creatorId))),
  )
}
