import { WebSocket } from 'ws'
import { errorOfResponse } from './error-response.ts'

/**
 * An open WebSocket, paused so that nothing of it is missed. Throws what the status of a refusal stands for, the
 * network's error, or the signal's reason. It never throws later: after an error it closes.
 */
export function openWebSocket(
  address: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<WebSocket> {
  const socket = new WebSocket(address.replace(/^http/, 'ws'), { headers, perMessageDeflate: false })
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal?.reason)
      socket.terminate()
    }
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted === true) abort()
    socket.on('error', reject)
    socket.once('unexpected-response', (_, response) => {
      reject(errorOfResponse(response.statusCode ?? 0, ''))
      socket.terminate()
    })
    socket.once('open', () => {
      socket.pause()
      signal?.removeEventListener('abort', abort)
      resolve(socket)
    })
  })
}
