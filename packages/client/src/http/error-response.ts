import { errorBodySchema, startOfText } from '@hearth/contract'
import { type ErrorCode, HearthError } from '@hearth/foundation'

// A Record and not a list, so that a new code does not compile until it is known here.
const knownCodes: Readonly<Record<ErrorCode, true>> = {
  invalid: true,
  unauthenticated: true,
  forbidden: true,
  not_found: true,
  conflict: true,
  stale_version: true,
  pool_empty: true,
  idempotency_mismatch: true,
  unprocessable: true,
  expired: true,
  too_large: true,
  quota_exceeded: true,
  rate_limited: true,
  unavailable: true,
  internal: true,
}

/** An answer that is not a success as the error it stands for; `facts` keeps the status and the request's id. */
export function errorOfResponse(status: number, text: string): HearthError {
  const body = errorBodySchema.safeParse(parseJson(text))
  if (!body.success) {
    return new HearthError(codeOfStatus(status), `the server answered ${status} without saying why`, {
      privateDetail: startOfText(text, 500),
      facts: { status },
    })
  }
  const { code, message, details, facts, requestId } = body.data.error
  return new HearthError(isKnown(code) ? code : codeOfStatus(status), message, {
    details,
    facts: { ...facts, status, requestId },
  })
}

function isKnown(code: string): code is ErrorCode {
  return Object.hasOwn(knownCodes, code)
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 401) return 'unauthenticated'
  if (status === 403) return 'forbidden'
  if (status === 404) return 'not_found'
  if (status === 409 || status === 412) return 'conflict'
  if (status === 410) return 'expired'
  if (status === 413) return 'too_large'
  if (status === 429) return 'rate_limited'
  if (status === 502 || status === 503 || status === 504) return 'unavailable'
  return status < 500 ? 'invalid' : 'internal'
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
