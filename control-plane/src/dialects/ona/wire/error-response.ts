import type { ConnectError } from '@connectrpc/connect'
import { codeToHttpStatus, errorToJson } from '@connectrpc/connect/protocol-connect'

/** An error as JSON, with the HTTP status of its code: what clients of every generation read. */
export function errorResponseOf(error: ConnectError): Response {
  const headers = new Headers(error.metadata)
  headers.set('Content-Type', 'application/json')
  const status = codeToHttpStatus(error.code)
  return new Response(JSON.stringify(errorToJson(error, undefined)), { status, headers })
}
