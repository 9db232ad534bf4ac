import {
  type RunnerFacts,
  registrationSchema,
  runnerCreatedSchema,
  type runnerCreateSchema,
  runnerSchema,
  runnerTokenSchema,
  type runnerUpdateSchema,
} from '@hearth/contract'
import type { z } from 'zod'
import { collection, deletion, explaining, one } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/runners'

export const runners = (transport: Transport) => ({
  ...collection<typeof runnerSchema, object>(transport, path, runnerSchema),
  /** The answer holds the runner's own token, once. */
  create: (body: z.input<typeof runnerCreateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path, body, ...options }, runnerCreatedSchema),
  update: (id: string, body: z.input<typeof runnerUpdateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'PATCH', path: one(path, id), body, ...options }, runnerSchema),
  /** Another token of its agent, which the answer alone holds; those that it has stay good. */
  createToken: (id: string, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/tokens`, ...options }, runnerTokenSchema),
  /** `force` gives its machines up. */
  delete: deletion(transport, path),
  /** For agents, with the runner's own token: raises the epoch, and answers with it and the way to NATS. */
  register: (id: string, facts: RunnerFacts, options: CallOptions = {}) =>
    transport.json(
      { method: 'POST', path: `${one(path, id)}/registration`, body: { facts }, ...options },
      registrationSchema,
    ),
  why: explaining(transport, path),
})
