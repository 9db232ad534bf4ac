import { type PipelineRefusal, pipelineRefusalSchema } from '@hearth/contract'
import { assertNever, type HearthError } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import type { ErrorDescription } from '../../api/endpoint.ts'
import { known } from '../../api/error-response.ts'

export const errorSchema = z
  .object({ message: z.string(), error_code: z.string(), details: z.unknown() })
  .meta({ id: 'ErrorResponse' })
export type FelderaErrorBody = z.infer<typeof errorSchema>

export type Status = 400 | 401 | 403 | 404 | 405 | 409 | 410 | 413 | 429 | 500 | 501 | 503

/** What only this interface refuses: a name, a parameter, what it does not have. */
export class FelderaError extends Error {
  constructor(
    readonly status: Status,
    readonly code: string,
    message: string,
    readonly details: unknown = null,
  ) {
    super(message)
  }
}

/** Any error in the dialect's format. An unexpected error becomes a 500 without its text. */
export function felderaError(thrown: unknown): { status: Status; body: FelderaErrorBody } {
  if (thrown instanceof FelderaError) {
    const { status, code, message, details } = thrown
    return { status, body: { message, error_code: code, details } }
  }
  const error = known(thrown)
  const [status, error_code] = knownAs(error)
  const fields = error.details.map(({ field, given, expected }) => ({ field, given, expected }))
  const details = { ...error.facts, ...(fields.length === 0 ? {} : { fields }) }
  return {
    status,
    body: { message: error.message, error_code, details: Object.keys(details).length === 0 ? null : details },
  }
}

type Known = readonly [status: Status, code: string]

/** Of every reason why a request to a pipeline is refused. */
const refusals: Readonly<Record<PipelineRefusal, Known>> = {
  bootstrap_options_exclude_each_other: [400, 'InvalidBootstrap'],
  bootstrap_policy_immutable: [400, 'BootstrapPolicyImmutableUnlessStopped'],
  clear_only_when_stopped: [400, 'StorageStatusImmutableUnlessStopped'],
  clearing: [400, 'CannotStartWhileClearingStorage'],
  delete_needs_cleared_storage: [400, 'DeleteRestrictedToClearedStorage'],
  delete_only_when_stopped: [400, 'DeleteRestrictedToFullyStopped'],
  dismiss_only_when_stopped: [400, 'DismissErrorRestrictedToFullyStopped'],
  edit_needs_cleared_storage: [400, 'EditRestrictedToClearedStorage'],
  edit_only_when_stopped: [400, 'UpdateRestrictedToStopped'],
  illegal_change: [400, 'IllegalPipelineAction'],
  initial_immutable: [400, 'InitialImmutableUnlessStopped'],
  not_provisioned: [503, 'PipelineInteractionNotDeployed'],
  nothing_to_approve: [400, 'IllegalPipelineAction'],
  program_faulty: [400, 'CannotStartWithCompilationError'],
  standby_not_taken: [400, 'InitialStandbyNotAllowed'],
  still_stopping: [400, 'IllegalPipelineAction'],
  undismissed_error: [400, 'CannotStartWithUndismissedError'],
  unsuspendable: [405, 'UnsupportedPipelineAction'],
}

function knownAs({ code, facts, isTaken }: HearthError): Known {
  switch (code) {
    case 'invalid':
    case 'unprocessable':
    case 'idempotency_mismatch':
      return [400, 'InvalidRequest']
    case 'unauthenticated':
      return [401, 'InvalidApiKey']
    case 'forbidden':
      return [403, 'InsufficientPermissions']
    case 'quota_exceeded':
      return [403, 'QuotaExceeded']
    case 'not_found':
      return [404, 'NotFound']
    case 'conflict': {
      const refusal = pipelineRefusalSchema.safeParse(facts.refusal)
      if (refusal.success) return refusals[refusal.data]
      return [409, isTaken ? 'DuplicateName' : 'Conflict']
    }
    case 'stale_version':
      return [409, 'OutdatedPipelineVersion']
    case 'pool_empty':
      return [409, 'Conflict']
    case 'expired':
      return [410, 'Expired']
    case 'too_large':
      return [413, 'PayloadTooLarge']
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

/** How the dialect's error responses are documented. */
export const felderaErrors: ErrorDescription = {
  schema: errorSchema,
  statuses: {
    400: 'A value is wrong, or the state of the pipeline does not admit it: `error_code` says which',
    401: 'InvalidApiKey',
    403: 'InsufficientPermissions, or a quota is used up',
    404: 'There is no such thing',
    405: 'UnsupportedPipelineAction',
    409: 'DuplicateName, OutdatedPipelineVersion',
    413: 'PayloadTooLarge',
    429: 'TooManyRequests: again after `Retry-After` seconds',
    500: 'A fault of Hearth',
    501: 'Not part of this interface here',
    503: 'The pipeline, or Hearth, does not answer at the moment',
  },
}
