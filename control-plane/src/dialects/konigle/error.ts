import { assertNever, type HearthError } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import type { ErrorDescription } from '../../api/endpoint.ts'
import { known } from '../../api/error-response.ts'

/** As Django REST framework has it: the sentence, and beside it what is wrong with each field. */
export const konigleErrorSchema = z
  .object({ detail: z.string(), code: z.string(), errors: z.record(z.string(), z.array(z.string())) })
  .loose()
  .meta({ id: 'KonigleError' })

type Status = 400 | 401 | 403 | 404 | 409 | 413 | 429 | 500 | 503

/** An error in the dialect's format. An unexpected error becomes a 500 without its text. */
export function konigleError(thrown: unknown): { status: Status; body: z.infer<typeof konigleErrorSchema> } {
  const error = known(thrown)
  const errors: Record<string, string[]> = {}
  for (const { field, given, expected } of error.details) {
    const name = fieldOf(field)
    errors[name] = [...(errors[name] ?? []), `must be ${expected}, got ${given}`]
  }
  return { status: statusOf(error), body: { ...errors, detail: error.message, code: error.code, errors } }
}

/** The words of the dialect for what native commands call otherwise. */
const words: ReadonlyMap<string, string> = new Map([
  ['environment', 'computer_id'],
  ['webServer', 'web_server'],
  ['displayName', 'display_name'],
  ['desired', 'status'],
  ['customDomain', 'custom_domain'],
  ['cronJobs', 'cron_jobs'],
  ['timeZone', 'time_zone'],
])

/** A field as the request spelled it. Names of variables are the caller's own. */
function fieldOf(native: string): string {
  const parts = native.replace(/^(body|query|path)\./, '').split('.')
  if (parts[0] === 'spec') parts.shift()
  if (parts[0] === 'variables') return parts.join('.')
  return parts.map((part) => words.get(part) ?? part).join('.')
}

function statusOf({ code }: HearthError): Status {
  switch (code) {
    case 'invalid':
    case 'unprocessable':
    case 'idempotency_mismatch':
    case 'expired':
      return 400
    case 'unauthenticated':
      return 401
    case 'forbidden':
    case 'quota_exceeded':
      return 403
    case 'not_found':
      return 404
    case 'conflict':
    case 'stale_version':
    case 'pool_empty':
      return 409
    case 'too_large':
      return 413
    case 'rate_limited':
      return 429
    case 'internal':
      return 500
    case 'unavailable':
      return 503
    default:
      return assertNever(code)
  }
}

/** How the dialect's error responses are documented. */
export const konigleErrors: ErrorDescription = {
  schema: konigleErrorSchema,
  statuses: {
    400: 'A value is wrong: `errors` has each field',
    401: 'No valid token',
    403: 'Not allowed, or a quota is used up',
    404: 'Not found',
    409: 'Taken, or in a state that does not admit it',
    413: 'Too large',
    429: 'Too many at a time: again after `Retry-After` seconds',
    500: 'A fault of Hearth',
    503: 'Not available at the moment: again after `Retry-After` seconds',
  },
}
