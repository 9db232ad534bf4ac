import { Code, ConnectError } from '@connectrpc/connect'
import {
  createEnvelopeReadableStream,
  type EnvelopedMessage,
  encodeEnvelope,
} from '@connectrpc/connect/protocol'
import { endStreamFlag, errorFromJsonBytes } from '@connectrpc/connect/protocol-connect'
import { errorResponseOf } from './error-response.ts'

/** The media type of a stream of bare JSON objects, one a line. */
export const lines = 'application/jsonl'

/** The request as Connect's own streams send it: the one object, in an envelope. */
export function envelopedRequest(request: Request, body: Uint8Array): Request {
  const headers = new Headers(request.headers)
  headers.set('Content-Type', 'application/connect+json')
  headers.delete('Content-Length')
  const { url, method, signal } = request
  return new Request(url, { method, headers, signal, body: new Uint8Array(encodeEnvelope(0, body)) })
}

/**
 * The answer as one JSON object a line. A stream that fails before its first object is an error with its own status; one
 * that fails later is cut, which is all that its clients can be told.
 */
export async function linesOf(response: Response): Promise<Response> {
  if (response.body === null || response.status !== 200) return response
  const reader = createEnvelopeReadableStream(response.body).getReader()
  const first = await reader.read()
  if (!first.done && isEnd(first.value)) {
    const error = endError(first.value)
    if (error !== null) return errorResponseOf(error)
  }
  let next: typeof first | null = first
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = next ?? (await reader.read())
      next = null
      if (done) return controller.close()
      if (!isEnd(value)) return controller.enqueue(lineOf(value))
      const error = endError(value)
      if (error === null) controller.close()
      else controller.error(error)
    },
    cancel: (reason) => reader.cancel(reason),
  })
  return new Response(body, { headers: { 'Content-Type': lines, 'Cache-Control': 'no-store' } })
}

const isEnd = ({ flags }: EnvelopedMessage) => (flags & endStreamFlag) === endStreamFlag

function endError({ data }: EnvelopedMessage): ConnectError | null {
  const { error } = JSON.parse(Buffer.from(data).toString('utf8')) as { error?: object }
  if (error === undefined) return null
  const fallback = new ConnectError('the stream failed', Code.Internal)
  return errorFromJsonBytes(Buffer.from(JSON.stringify(error)), undefined, fallback)
}

const lineOf = ({ data }: EnvelopedMessage): Uint8Array => Buffer.concat([data, Buffer.from('\n')])
