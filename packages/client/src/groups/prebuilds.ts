import {
  logTokenSchema,
  type PrebuildPhase,
  type prebuildCreateSchema,
  prebuildSchema,
} from '@hearth/contract'
import type { z } from 'zod'
import { collection, deletion, explaining, one } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/prebuilds'

export interface PrebuildFilter {
  projectId?: string | undefined
  environmentClassId?: string | undefined
  /** By default all but deleted ones. */
  phase?: PrebuildPhase | undefined
}

export const prebuilds = (transport: Transport) => ({
  ...collection<typeof prebuildSchema, PrebuildFilter>(transport, path, prebuildSchema),
  create: (body: z.input<typeof prebuildCreateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path, body, ...options }, prebuildSchema),
  /** Stops the work on it, and removes what it has made. */
  cancel: (id: string, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/cancel`, ...options }, prebuildSchema),
  /** Deletes it with its snapshot. `force` does not wait for its runners. */
  delete: deletion(transport, path),
  /** For whoever is to read its log, and nothing else, for an hour. */
  logToken: (id: string, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/log-token`, ...options }, logTokenSchema),
  /** What its steps print, also when it has ended; with `follow` until then. */
  log: (id: string, options: { follow?: boolean; signal?: AbortSignal } = {}) => log(transport, id, options),
  why: explaining(transport, path),
})

async function* log(
  transport: Transport,
  id: string,
  { follow = false, signal }: { follow?: boolean; signal?: AbortSignal },
): AsyncGenerator<string> {
  const { body } = await transport.open({
    method: 'GET',
    path: `${one(path, id)}/logs`,
    query: { follow },
    signal,
  })
  const decoder = new TextDecoder()
  for await (const piece of body ?? []) yield decoder.decode(piece, { stream: true })
  yield decoder.decode()
}
