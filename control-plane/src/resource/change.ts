import type { Caller } from '../api/caller.ts'
import type { NewResource } from './queries.ts'

/** A new resource in the caller's organization. */
export function newResource<Body extends Pick<NewResource, 'name' | 'labels' | 'spec'>>(
  { organizationId, principalId: creator }: Caller,
  body: Body,
): Body & NewResource {
  return { ...body, organizationId, creator }
}

/** The fields that a change gives a value. */
export function given<Fields extends object>(
  fields: Fields | undefined,
): { [Name in keyof Fields]: Exclude<Fields[Name], undefined> } {
  const named = Object.entries(fields ?? {}).filter(([, value]) => value !== undefined)
  return Object.fromEntries(named) as { [Name in keyof Fields]: Exclude<Fields[Name], undefined> }
}
