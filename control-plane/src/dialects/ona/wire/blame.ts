import { Code, ConnectError } from '@connectrpc/connect'
import { errorResponseOf } from './error-response.ts'

/** How the library begins what it says of a message that it cannot read. */
const unreadable = 'parse binary: '

/** A message that cannot be read is its sender's fault, which the library takes upon itself. */
export async function blamed(response: Response): Promise<Response> {
  if (response.status !== 500) return response
  const { message } = (await response.clone().json()) as { message?: string }
  if (message?.startsWith(unreadable) !== true) return response
  return errorResponseOf(new ConnectError(message, Code.InvalidArgument, { 'x-should-retry': 'false' }))
}
