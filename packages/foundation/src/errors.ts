/** What a caller could do differently; each code has one HTTP status, given in the control plane's error response. */
export type ErrorCode =
  | 'invalid' // the input is wrong: change it
  | 'unauthenticated' // no token, or one that is not known or has ended
  | 'forbidden' // the token's roles do not allow it
  | 'not_found'
  | 'conflict' // the state does not allow it: read again, then decide
  | 'stale_version' // written on an older version: read again, merge, write
  | 'pool_empty' // no ready machine and the caller refused a cold start
  | 'idempotency_mismatch' // the same key came with another body
  | 'unprocessable' // what was asked for does not go together: ask for something that does
  | 'expired' // what was asked for is not kept any more: read what is there now
  | 'too_large'
  | 'quota_exceeded' // as much of it as is allowed is there already: remove some, or have the quota raised
  | 'rate_limited' // too many at a time: try again after `facts.retryAfterSeconds`
  | 'unavailable' // a dependency does not answer: try again later
  | 'internal' // our fault

export interface ErrorDetail {
  /** Where in the input, for example `spec.min` or `query.limit`. */
  field: string
  /** What was given, shortened. */
  given: string
  /** What would be right, for example `between 0 and 20`. */
  expected: string
}

export interface HearthErrorOptions {
  details?: readonly ErrorDetail[]
  /** For logs only: never sent to a client. */
  privateDetail?: string
  cause?: unknown
  /** Whether the same call may succeed later without a change. */
  retryable?: boolean
  /** Extra facts a program may act on, for example the current version. */
  facts?: Readonly<Record<string, unknown>>
  /** Whether a `conflict` is that what was to be made is there already. */
  isTaken?: boolean
}

/** The one error type that crosses a boundary. `message` may be shown to anyone who made the call. */
export class HearthError extends Error {
  override readonly name = 'HearthError'
  readonly details: readonly ErrorDetail[]
  readonly privateDetail: string | undefined
  readonly retryable: boolean
  readonly facts: Readonly<Record<string, unknown>>
  readonly isTaken: boolean

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: HearthErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.details = options.details ?? []
    this.privateDetail = options.privateDetail
    this.retryable =
      options.retryable ?? (code === 'unavailable' || code === 'pool_empty' || code === 'rate_limited')
    this.facts = options.facts ?? {}
    this.isTaken = options.isTaken ?? false
  }
}

/** `body.size: must be between 0 and 20, got -3`; without what was given where that is empty, or not to be shown. */
export function invalidValue({ field, given, expected }: ErrorDetail): HearthError {
  const got = given === '' ? '' : `, got ${given}`
  return new HearthError('invalid', `${field}: must be ${expected}${got}`, {
    details: [{ field, given, expected }],
  })
}

/** Whatever was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
