import {
  callLimits,
  connectionSchema,
  type EnvironmentPhase,
  type environmentCreateSchema,
  environmentSchema,
  type environmentUpdateSchema,
  type execRequestSchema,
  execResultSchema,
  type extendSchema,
  fileContentSchema,
  type fileReadSchema,
  type fileWriteSchema,
  fileWrittenSchema,
  logTokenSchema,
} from '@hearth/contract'
import type { z } from 'zod'
import { checkpoints } from '../http/checkpoints.ts'
import { collection, deletion, explaining, one } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'
import { type LogOptions, readLogs } from '../streams/logs.ts'

const path = '/v1/environments'

/** What a machine may take that hardly answers. */
const longestCallMilliseconds = 60_000
const ofFiles = { extraMilliseconds: longestCallMilliseconds }

export interface EnvironmentFilter {
  projectId?: string | undefined
  warmPoolId?: string | undefined
  runnerId?: string | undefined
  claimId?: string | undefined
  phase?: EnvironmentPhase | undefined
}

export const environments = (transport: Transport) => ({
  ...collection<typeof environmentSchema, EnvironmentFilter>(transport, path, environmentSchema),
  ...checkpoints(transport, path, environmentSchema),
  create: (body: z.input<typeof environmentCreateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path, body, ...options }, environmentSchema),
  update: (id: string, body: z.input<typeof environmentUpdateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'PATCH', path: one(path, id), body, ...options }, environmentSchema),
  /** `force` gives the record up without waiting for the runner. */
  delete: deletion(transport, path),
  retry: (id: string, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/retry`, ...options }, environmentSchema),
  /** Puts the end of its life off; without a span by an hour. */
  extend: (id: string, body: z.input<typeof extendSchema> = {}, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/extend`, body, ...options }, environmentSchema),
  /** Says that somebody uses it, in a way that Hearth cannot see. */
  activity: (id: string, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/activity`, ...options }, environmentSchema),
  /** For whoever is to read its logs, and nothing else, for an hour. */
  logToken: (id: string, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/log-token`, ...options }, logTokenSchema),
  /** A fresh certificate for the caller's key, with the address and host key to use it on. */
  certificate: (id: string, publicKey: string, options: CallOptions = {}) =>
    transport.json(
      { method: 'POST', path: `${one(path, id)}/certificates`, body: { publicKey }, ...options },
      connectionSchema,
    ),
  /** Runs a command in a running machine and waits for it; it is ended when the signal aborts. */
  exec: (id: string, body: z.input<typeof execRequestSchema>, options: CallOptions = {}) =>
    transport.json(
      {
        ...{ method: 'POST', path: `${one(path, id)}/exec`, body, ...options },
        extraMilliseconds:
          (body.timeoutSeconds ?? callLimits.defaultSeconds) * 1000 + longestCallMilliseconds,
      },
      execResultSchema,
    ),
  /** A part of a file of a running machine, in base64, or what is in a folder. */
  readFile: (id: string, body: z.input<typeof fileReadSchema>, options: CallOptions = {}) =>
    transport.json(
      { method: 'POST', path: `${one(path, id)}/files/read`, body, ...options, ...ofFiles },
      fileContentSchema,
    ),
  writeFile: (id: string, body: z.input<typeof fileWriteSchema>, options: CallOptions = {}) =>
    transport.json(
      { method: 'POST', path: `${one(path, id)}/files/write`, body, ...options, ...ofFiles },
      fileWrittenSchema,
    ),
  /** Output of the steps as it comes; ends by itself when provisioning has ended, or what there is without `follow`. */
  logs: (id: string, options: LogOptions) => readLogs(transport, `${one(path, id)}/logs`, options),
  why: explaining(transport, path),
})
