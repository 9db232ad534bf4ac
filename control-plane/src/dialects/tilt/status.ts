import { assertNever, type HearthError } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import type { ErrorDescription } from '../../api/endpoint.ts'
import { known } from '../../api/error-response.ts'
import { group, plural, resource } from './names.ts'

type Code = 400 | 401 | 403 | 404 | 405 | 406 | 409 | 410 | 413 | 422 | 429 | 500 | 503

const statusSchema = z
  .object({
    kind: z.literal('Status'),
    apiVersion: z.literal('v1'),
    metadata: z.object({}),
    status: z.literal('Failure'),
    message: z.string(),
    reason: z.string(),
    details: z.record(z.string(), z.unknown()).optional(),
    code: z.int(),
  })
  .meta({ id: 'Status' })
export type Status = Omit<z.infer<typeof statusSchema>, 'code'> & { code: Code }

/** A refusal that only this interface knows. */
export class Refusal extends Error {
  constructor(readonly status: Status) {
    super(status.message)
  }
}

export function failure(code: Code, reason: string, message: string, details?: Status['details']): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details === undefined ? {} : { details }),
    code,
  }
}

const ofSessions = { group, kind: plural }

export const notFound = (name: string) =>
  new Refusal(failure(404, 'NotFound', `${resource} "${name}" not found`, { name, ...ofSessions }))

export const noSuchPath = () =>
  failure(404, 'NotFound', 'the server could not find the requested resource', {})

export const methodNotAllowed = () =>
  failure(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource: sessions are read here, and changed by hearth',
    ofSessions,
  )

export const notAcceptable = () =>
  new Refusal(
    failure(406, 'NotAcceptable', 'only the following media types are accepted: application/json', {}),
  )

export const badRequest = (message: string) => new Refusal(failure(400, 'BadRequest', message))

/** What was thrown, as this interface says it. An unexpected error is told without its text. */
export function statusOf(thrown: unknown): Status {
  if (thrown instanceof Refusal) return thrown.status
  const error = known(thrown)
  const [code, reason] = knownAs(error)
  const { retryAfterSeconds } = error.facts
  const retry = typeof retryAfterSeconds === 'number' ? { retryAfterSeconds } : {}
  return failure(code, reason, error.message, { ...ofSessions, ...retry })
}

function knownAs({ code }: HearthError): readonly [Code, string] {
  switch (code) {
    case 'invalid':
      return [400, 'BadRequest']
    case 'unauthenticated':
      return [401, 'Unauthorized']
    case 'forbidden':
    case 'quota_exceeded':
      return [403, 'Forbidden']
    case 'not_found':
      return [404, 'NotFound']
    case 'conflict':
    case 'stale_version':
    case 'pool_empty':
      return [409, 'Conflict']
    case 'expired':
      return [410, 'Expired']
    case 'too_large':
      return [413, 'RequestEntityTooLarge']
    case 'unprocessable':
    case 'idempotency_mismatch':
      return [422, 'Invalid']
    case 'rate_limited':
      return [429, 'TooManyRequests']
    case 'internal':
      return [500, 'InternalError']
    case 'unavailable':
      return [503, 'ServiceUnavailable']
    default:
      return assertNever(code)
  }
}

/** How the error responses are documented. */
export const statuses: ErrorDescription = {
  schema: statusSchema,
  statuses: {
    400: 'BadRequest',
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'NotFound',
    406: 'NotAcceptable',
    410: 'Expired',
    413: 'RequestEntityTooLarge',
    422: 'Invalid',
    429: 'TooManyRequests',
    500: 'InternalError',
    503: 'ServiceUnavailable',
  },
}
