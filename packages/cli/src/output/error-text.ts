import { HearthError, toError } from '@hearth/foundation'

/**
 * An error as text for a person: what is wrong, then one line for each invalid value that the message does not name.
 */
export function errorText(error: unknown): string {
  if (!(error instanceof HearthError)) return toError(error).message
  const details = error.details
    .filter(({ field }) => !error.message.includes(`${field}: `))
    .map(
      ({ field, given, expected }) =>
        `  ${field}: ${given === '' ? '' : `given ${given}, `}expected ${expected}`,
    )
  const request = error.code === 'internal' ? requestLine(error.facts.requestId) : []
  return [error.message, ...details, ...request, ...hint(error)].join('\n')
}

function requestLine(requestId: unknown): string[] {
  return typeof requestId === 'string' ? [`  request ${requestId}: the control plane’s log says more`] : []
}

function hint(error: HearthError): string[] {
  switch (error.code) {
    case 'unavailable':
      // Only for an unreachable HTTP address; other `unavailable` errors say themselves what to do.
      if (error.facts.url === undefined) return []
      return ['  Is it running? `hearth dev` starts one here; `hearth doctor` looks for the cause.']
    case 'unauthenticated':
      return ['  The token is missing, unknown or has ended: see `hearth help context`.']
    default:
      return []
  }
}
