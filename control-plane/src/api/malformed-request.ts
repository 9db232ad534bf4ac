import type { IncomingMessage, RequestListener } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ErrorBody } from '@hearth/contract'
import { newId } from '@hearth/foundation'

interface Refusal {
  status: string
  code: string
  message: string
}

/**
 * Answers input that is not HTTP or comes too slowly with a JSON error and closes the connection: it never reaches the
 * application.
 */
export function refuseMalformedRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const refusal = refusalOf(error.code)
  const { headers, text } = answerOf(refusal)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  socket.end([`HTTP/1.1 ${refusal.status}`, ...lines, '', text].join('\r\n'))
}

/** Refuses a request whose target and host make no valid URL. */
export function withReadableUrls(listener: RequestListener): RequestListener {
  return (request, response) => {
    if (hasReadableUrl(request)) return listener(request, response)
    const { headers, text } = answerOf(refusalOf(undefined))
    response.writeHead(400, headers).end(text)
  }
}

function hasReadableUrl({ url = '', headers: { host = '' } }: IncomingMessage): boolean {
  if (!/^[\w.:[\]-]+$/.test(host)) return false
  return URL.canParse(url.startsWith('/') ? `http://${host}${url}` : url)
}

function answerOf({ code, message }: Refusal) {
  const body: ErrorBody = { error: { code, message, details: [], facts: {}, requestId: newId() } }
  const text = JSON.stringify(body)
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(text)),
    'X-Request-Id': body.error.requestId,
    Connection: 'close',
  }
  return { headers, text }
}

function refusalOf(code: string | undefined): Refusal {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return {
        status: '431 Request Header Fields Too Large',
        code: 'too_large',
        message: 'the headers are too large: at most 16 KiB',
      }
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return {
        status: '408 Request Timeout',
        code: 'invalid',
        message: 'the request did not come whole in time: its headers within 15 s, all of it within 60 s',
      }
    default:
      return { status: '400 Bad Request', code: 'invalid', message: 'this is no HTTP request' }
  }
}
