import { createServer, type RequestListener, type ServerOptions } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { WebSocketServer } from 'ws'
import type { Application } from './application.ts'
import { refuseMalformedRequest, withReadableUrls } from './malformed-request.ts'

/** What is under way gets this long to end by itself when the program stops. */
const graceMilliseconds = 10_000
const lookMilliseconds = 100
/** Who sends slowly holds a connection for no longer than this, in milliseconds: its headers, and its request whole. */
export type ArrivalBounds = Required<
  Pick<ServerOptions, 'headersTimeout' | 'requestTimeout' | 'connectionsCheckingInterval'>
>
const defaultArrival: ArrivalBounds = {
  headersTimeout: 15_000,
  requestTimeout: 60_000,
  connectionsCheckingInterval: 5_000,
}
const mostHeaderBytes = 16 * 1024
/** Observers have nothing to say. */
const largestMessageBytes = 4 * 1024

export interface Listener {
  address: AddressInfo
  /** Takes no more connections, and resolves when those there are have ended or their grace is over. */
  close(): Promise<void>
}

const createReadableServer = (options: ServerOptions, answer: RequestListener) =>
  createServer(options, withReadableUrls(answer))

/** Serves the application over HTTP and WebSocket; rejects when it cannot listen. Port 0 takes a free one. */
export function listen(
  application: Application,
  { host, port }: { host: string; port: number },
  arrival: ArrivalBounds = defaultArrival,
): Promise<Listener> {
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: largestMessageBytes })
  return new Promise((resolve, reject) => {
    const server = serve(
      {
        fetch: application.fetch,
        hostname: host,
        port,
        createServer: createReadableServer as typeof createServer,
        serverOptions: { ...arrival, maxHeaderSize: mostHeaderBytes },
        websocket: { server: webSockets as WebSocketServer & { options: { noServer?: boolean } } },
      },
      (address) => resolve({ address, close }),
    )
    server.on('error', reject)
    server.on('clientError', refuseMalformedRequest)
    const close = async () => {
      const closed = new Promise<void>((ended) => server.close(() => ended()))
      const grace = setTimeout(() => {
        if ('closeAllConnections' in server) server.closeAllConnections()
        for (const socket of webSockets.clients) socket.terminate()
      }, graceMilliseconds)
      // A connection is kept for the client's next request, which is to go to another replica.
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
