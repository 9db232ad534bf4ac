import { createServer, type RequestListener, type ServerOptions } from 'node:http'
import {
  createServer as createSecureServer,
  Server as SecureServer,
  type ServerOptions as SecureServerOptions,
} from 'node:https'
import type { AddressInfo } from 'node:net'
import { artifactLimits } from '@hearth/contract'
import { serve } from '@hono/node-server'
import { WebSocketServer } from 'ws'
import type { Application } from './application.ts'
import { withArrivalBound } from './arrival.ts'
import { refuseMalformedRequest, withReadableUrls } from './malformed-request.ts'

/** How long requests may still run when the program stops. */
const graceMilliseconds = 10_000
const lookMilliseconds = 100
/** Timeouts against slow senders, in milliseconds: for a request's headers, and for its body unless it is an upload. */
export type ArrivalBounds = Required<
  Pick<ServerOptions, 'headersTimeout' | 'requestTimeout' | 'connectionsCheckingInterval'>
>
const defaultArrival: ArrivalBounds = {
  headersTimeout: 15_000,
  requestTimeout: 60_000,
  connectionsCheckingInterval: 5_000,
}
const mostUploadMilliseconds = artifactLimits.uploadSeconds * 1_000
const mostHeaderBytes = 16 * 1024
/** Small, because observers of events send no messages of their own. */
const largestMessageBytes = 4 * 1024

/** A certificate and its key, as PEM, where HTTPS is served. */
export interface ServedCertificate {
  certificate: string
  privateKey: string
}

export interface Listener {
  address: AddressInfo
  /** Shows new connections another certificate. */
  replaceCertificate(certificate: ServedCertificate): void
  /** Accepts no more connections; resolves when the open ones have ended or the grace period is over. */
  close(): Promise<void>
}

/** What makes the server, and with which options. */
function serverFor(arrival: ArrivalBounds, served: ServedCertificate | null) {
  const { requestTimeout } = arrival
  const bounds = {
    ...arrival,
    requestTimeout: requestTimeout + mostUploadMilliseconds,
    maxHeaderSize: mostHeaderBytes,
  }
  const bounded = (answer: RequestListener) => withReadableUrls(withArrivalBound(requestTimeout, answer))
  if (served === null) {
    const create = (options: ServerOptions, answer: RequestListener) => createServer(options, bounded(answer))
    return { createServer: create as typeof createServer, serverOptions: bounds }
  }
  const create = (options: SecureServerOptions, answer: RequestListener) =>
    createSecureServer(options, bounded(answer))
  return {
    createServer: create as typeof createSecureServer,
    serverOptions: { ...bounds, handshakeTimeout: arrival.headersTimeout, ...pemsOf(served) },
  }
}

const pemsOf = ({ certificate, privateKey }: ServedCertificate) => ({ cert: certificate, key: privateKey })

/**
 * Serves the application over HTTP and WebSocket, with a certificate over HTTPS; rejects when it cannot listen. Port 0 takes
 * a free one.
 */
export function listen(
  application: Application,
  { host, port }: { host: string; port: number },
  arrival: ArrivalBounds = defaultArrival,
  served: ServedCertificate | null = null,
): Promise<Listener> {
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: largestMessageBytes })
  return new Promise((resolve, reject) => {
    const server = serve(
      {
        fetch: application.fetch,
        hostname: host,
        port,
        ...serverFor(arrival, served),
        websocket: { server: webSockets as WebSocketServer & { options: { noServer?: boolean } } },
      },
      (address) => resolve({ address, replaceCertificate, close }),
    )
    server.on('error', reject)
    server.on('clientError', refuseMalformedRequest)
    const replaceCertificate = (next: ServedCertificate) => {
      if (server instanceof SecureServer) server.setSecureContext(pemsOf(next))
    }
    const close = async () => {
      const closed = new Promise<void>((ended) => server.close(() => ended()))
      const grace = setTimeout(() => {
        if ('closeAllConnections' in server) server.closeAllConnections()
        for (const socket of webSockets.clients) socket.terminate()
      }, graceMilliseconds)
      // Idle keep-alive connections are closed so that the client's next request goes to another replica.
      const sweep = setInterval(
        () => 'closeIdleConnections' in server && server.closeIdleConnections(),
        lookMilliseconds,
      )
      await closed
      clearTimeout(grace)
      clearInterval(sweep)
    }
  })
}
