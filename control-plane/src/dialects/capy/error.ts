import { assertNever, type HearthError } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import type { ErrorDescription } from '../../api/endpoint.ts'
import { known } from '../../api/error-response.ts'

export const capyErrorSchema = z
  .object({
    error: z.object({
      code: z.string(),
      message: z.string(),
      details: z.record(z.string(), z.unknown()),
    }),
  })
  .meta({ id: 'CapyError' })

type Known = readonly [status: 401 | 403 | 404 | 409 | 410 | 413 | 422 | 429 | 500 | 503, code: string]

/** An error in the dialect's format. An unexpected error becomes a 500 without its text. */
export function capyError(thrown: unknown): { status: Known[0]; body: z.infer<typeof capyErrorSchema> } {
  const error = known(thrown)
  const [status, code] = knownAs(error)
  const fields = error.details.map(({ field, given, expected }) => ({ field, given, expected }))
  const details = fields.length === 0 ? { ...error.facts } : { ...error.facts, fields }
  return { status, body: { error: { code, message: error.message, details } } }
}

function knownAs({ code }: HearthError): Known {
  switch (code) {
    case 'invalid':
    case 'idempotency_mismatch':
    case 'unprocessable':
      return [422, 'validation_error']
    case 'unauthenticated':
      return [401, 'unauthorized']
    case 'forbidden':
      return [403, 'forbidden']
    case 'quota_exceeded':
      return [403, 'quota_exceeded']
    case 'rate_limited':
      return [429, 'rate_limited']
    case 'not_found':
      return [404, 'not_found']
    case 'conflict':
    case 'stale_version':
    case 'pool_empty':
      return [409, 'conflict']
    case 'expired':
      return [410, 'gone']
    case 'too_large':
      return [413, 'payload_too_large']
    case 'internal':
      return [500, 'internal_error']
    case 'unavailable':
      return [503, 'unavailable']
    default:
      return assertNever(code)
  }
}

/** How the dialect's error responses are documented. */
export const capyErrors: ErrorDescription = {
  schema: capyErrorSchema,
  statuses: {
    401: 'unauthorized',
    403: 'forbidden',
    404: 'not_found',
    409: 'conflict',
    413: 'payload_too_large',
    422: 'validation_error',
    429: 'rate_limited',
    500: 'internal_error',
    503: 'unavailable',
  },
}
