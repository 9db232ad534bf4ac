import type { IncomingMessage, RequestListener } from 'node:http'
import { refuseMalformedRequest } from './malformed-request.ts'

const lateRequest = Object.assign(new Error('the body came too late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
const hasBody = ({ headers }: IncomingMessage) =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

const timers = new WeakMap<IncomingMessage, NodeJS.Timeout>()

/** Ends a request whose body has not come whole in so many milliseconds, unless it is given more time. */
export function withArrivalBound(milliseconds: number, listener: RequestListener): RequestListener {
  return (request, response) => {
    if (hasBody(request)) {
      const end = () => {
        if (request.complete || request.socket.destroyed) return
        if (response.headersSent) request.socket.destroy()
        else refuseMalformedRequest(lateRequest, request.socket)
      }
      const timer = setTimeout(end, milliseconds).unref()
      timers.set(request, timer)
      request.once('end', () => clearTimeout(timer))
    }
    return listener(request, response)
  }
}

/** For an upload, which bounds its own time. */
export function boundArrivalElsewhere(request: IncomingMessage | undefined): void {
  if (request !== undefined) clearTimeout(timers.get(request))
}
