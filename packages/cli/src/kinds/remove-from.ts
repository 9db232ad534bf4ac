import type { HearthClient } from '@hearth/client'
import { goneIsNull } from './gone-is-null.ts'
import type { Kind } from './kind.ts'

/** The calls of a kind whose resources go in the background; a record of them may stay, with the phase `deleted`. */
export interface Removable {
  get(
    reference: string,
    options: { signal: AbortSignal },
  ): Promise<{ metadata: { id: string; name: string }; status: { phase: string } }>
  delete(id: string, options: { signal: AbortSignal; force?: boolean }): Promise<unknown>
}

/** How a resource is removed where nothing is special about its kind. */
export function removeFrom(groupOf: (client: HearthClient) => Removable): NonNullable<Kind['remove']> {
  return async ({ client, signal }, reference, { force }) => {
    const group = groupOf(client)
    const { metadata } = await group.get(reference, { signal })
    await group.delete(metadata.id, { signal, ...(force ? { force } : {}) })
    const gone = async (waiting: AbortSignal) => {
      const left = await group.get(metadata.id, { signal: waiting }).catch(goneIsNull)
      return left === null || left.status.phase === 'deleted'
    }
    return { id: metadata.id, name: metadata.name, gone }
  }
}
