import {
  deploymentSchema,
  type promotionSchema,
  type rollbackSchema,
  type SpacePhase,
  type SpaceType,
  spaceSchema,
  type spaceUpdateSchema,
} from '@hearth/contract'
import type { z } from 'zod'
import { collection, explaining, one } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/spaces'

export interface SpaceFilter {
  name?: string | undefined
  webAppId?: string | undefined
  environmentId?: string | undefined
  type?: SpaceType | undefined
  phase?: SpacePhase | undefined
}

export const spaces = (transport: Transport) => ({
  ...collection<typeof spaceSchema, SpaceFilter>(transport, path, spaceSchema),
  /** Stops or starts it, or changes its variables or cron jobs. */
  update: (id: string, body: z.input<typeof spaceUpdateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'PATCH', path: one(path, id), body, ...options }, spaceSchema),
  /** Deploys a ZIP to it. */
  deploy: (
    id: string,
    zip: ReadableStream<Uint8Array>,
    { displayName, ...options }: CallOptions & { displayName?: string | undefined } = {},
  ) =>
    transport.upload(
      {
        method: 'POST',
        path: `${one(path, id)}/deployments`,
        query: { displayName },
        headers: { 'content-type': 'application/zip' },
        ...options,
      },
      zip,
      deploymentSchema,
    ),
  /** Deploys to production what uat has. */
  promote: (id: string, body: z.input<typeof promotionSchema> = {}, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/promote`, body, ...options }, deploymentSchema),
  /** Goes back to a release that it had. */
  rollback: (id: string, body: z.input<typeof rollbackSchema> = {}, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/rollback`, body, ...options }, deploymentSchema),
  why: explaining(transport, path),
})
