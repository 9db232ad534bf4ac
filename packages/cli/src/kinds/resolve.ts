import { HearthError, isId } from '@hearth/foundation'

interface Readable<Item> {
  get(id: string, options: { signal: AbortSignal }): Promise<Item>
  listAll(filter: { name: string }, options: { signal: AbortSignal }): Promise<Item[]>
}

/** Finds the resource with this id, or with this name if it is unique. */
export async function byIdOrName<Item extends { metadata: { id: string } }>(
  kind: string,
  group: Readable<Item>,
  reference: string,
  signal: AbortSignal,
): Promise<Item> {
  if (isId(reference)) return await group.get(reference, { signal })
  const found = await group.listAll({ name: reference }, { signal })
  const [first] = found
  if (first === undefined) throw new HearthError('not_found', `there is no ${kind} ${reference}`)
  if (found.length === 1) return first
  const ids = found.map((item) => item.metadata.id).join(', ')
  throw new HearthError('conflict', `${found.length} ${kind}s are called ${reference}; give the id: ${ids}`)
}
