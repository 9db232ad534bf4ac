import type { WebSocket } from 'ws'

/** How many messages are buffered before reading from the socket is paused. */
const mostWaiting = 256

/** The texts of a paused WebSocket, in order, until it closes or the signal aborts. It is closed afterwards. */
export async function* webSocketTexts(socket: WebSocket, signal: AbortSignal): AsyncGenerator<string> {
  const waiting: string[] = []
  let isOpen = true
  let wake: (() => void) | null = null
  const end = () => {
    isOpen = false
    wake?.()
  }
  socket.on('message', (data) => {
    waiting.push(String(data))
    if (waiting.length >= mostWaiting) socket.pause()
    wake?.()
  })
  socket.on('close', end)
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  socket.resume()
  try {
    while (!signal.aborted) {
      const text = waiting.shift()
      if (text !== undefined) {
        if (waiting.length === 0 && socket.isPaused) socket.resume()
        yield text
      } else if (isOpen) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      } else return
    }
  } finally {
    signal.removeEventListener('abort', end)
    socket.terminate()
  }
}
