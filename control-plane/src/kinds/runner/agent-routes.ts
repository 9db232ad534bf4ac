import {
  idSchema,
  natsCredentialsSchema,
  registrationRequestSchema,
  registrationSchema,
  renewsCredentialsHeader,
  runnerKind as words,
} from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import type { Caller } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import type { AddRoute } from '../../resource/routes.ts'
import { issueCredentials, register } from './registration.ts'

const { path, tag } = words
const params = z.object({ id: idSchema })

/** For agents: begins a new lease. */
export const registration: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    method: 'post',
    path: `${path}/{id}/registration`,
    tag,
    summary:
      'For agents: begin a new lease. Raises the epoch; an agent with an older one is refused from then on',
    roles: ['runner'],
    params,
    body: registrationRequestSchema,
    answer: { status: 200, schema: registrationSchema, description: 'The epoch and how to reach NATS' },
    handle: async ({ caller, params: { id }, body, context }) => {
      requireOwn(caller, id)
      const { signal: gone } = context.req.raw
      const renews = context.req.header(renewsCredentialsHeader) !== undefined
      return { status: 200, value: await register(services, id, body.facts, { gone, renews }) }
    },
  })

export const credentials: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    method: 'post',
    path: `${path}/{id}/credentials`,
    tag,
    summary: 'For agents: new credentials for NATS, before those they have end. The lease stays as it is',
    roles: ['runner'],
    params,
    answer: { status: 200, schema: natsCredentialsSchema, description: 'The credentials and when they end' },
    handle: async ({ caller, params: { id } }) => {
      requireOwn(caller, id)
      return { status: 200, value: await issueCredentials(services, id, { end: true }) }
    },
  })

function requireOwn(caller: Caller, id: string): void {
  if (caller.runnerId !== id) throw new HearthError('forbidden', 'the token is another runner’s')
}
