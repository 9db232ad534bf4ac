import { streamCloseCodes } from '@hearth/contract'
import { toError } from '@hearth/foundation'
import { upgradeWebSocket } from '@hono/node-server'
import type { Context } from 'hono'
import type { Logger } from 'pino'
import type { WebSocket } from 'ws'
import type { ObserverTransport } from './serve-observer.ts'

/** Whether a request asks to become a WebSocket. */
export function asksForWebSocket(context: Context): boolean {
  return context.req.header('Upgrade')?.toLowerCase() === 'websocket'
}

/** The answer to an observer that speaks WebSocket: one message of the stream is one text, as JSON. */
export function answerWebSocket(
  context: Context,
  log: Logger,
  serve: (transport: ObserverTransport) => Promise<void>,
): Promise<Response> {
  const closed = new AbortController()
  const onError = (error: unknown) => log.warn({ err: toError(error) }, 'a WebSocket failed')
  return upgradeWebSocket(
    context,
    {
      onOpen: (_, { raw }) => {
        const socket = raw as unknown as WebSocket
        serve({
          name: 'websocket',
          send: (text) =>
            new Promise((resolve, reject) => {
              socket.send(text, (error) => (error == null ? resolve(undefined) : reject(error)))
            }),
          format: (message) => JSON.stringify(message),
          end: (reason) => socket.close(streamCloseCodes[reason], reason),
          cut: () => socket.terminate(),
          closed: closed.signal,
        }).catch(onError)
      },
      onClose: () => closed.abort(),
    },
    { onError },
  )
}
