import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { speakFirst } from './speak-first.ts'

const intervalMilliseconds = 100
/** How long the first attempts wait for the server's first line; a guest that takes long is given longer. */
const attemptMilliseconds = 3_000
const mostAttemptMilliseconds = 20_000
/** Until the guest's network is up, an attempt may be lost without a sign; later ones overtake it. */
const attemptsUntilRefused = 4

/**
 * Waits until an SSH server says its first line, and gives the very stream it said it on, the line still to be read:
 * a guest that boots under emulation should not have to serve a second connection. Rejects when the signal aborts.
 */
export async function waitForAnswer(connect: () => Promise<Duplex>, signal: AbortSignal): Promise<Duplex> {
  const attempts = new Set<AbortController>()
  // Once a connection has been refused, the guest's network is up, and an attempt that is not refused has a server.
  let refused = false
  let answered: Duplex | null = null
  let wake: () => void = () => undefined
  const started = performance.now()
  const attempt = async () => {
    const controller = new AbortController()
    attempts.add(controller)
    const patience = Math.min(
      mostAttemptMilliseconds,
      attemptMilliseconds + (performance.now() - started) / 5,
    )
    const timer = setTimeout(() => controller.abort(), patience)
    try {
      const stream = await readFirstLine(speakFirst(await connect()), controller.signal)
      if (answered === null) answered = stream
      else stream.destroy()
      wake()
    } catch {
      if (!controller.signal.aborted) refused = true
    } finally {
      clearTimeout(timer)
      attempts.delete(controller)
    }
  }
  try {
    while (answered === null) {
      signal.throwIfAborted()
      if (attempts.size < (refused ? 1 : attemptsUntilRefused)) void attempt()
      const sleep = new AbortController()
      wake = () => sleep.abort()
      await delay(intervalMilliseconds, undefined, { signal: AbortSignal.any([sleep.signal, signal]) }).catch(
        () => undefined,
      )
    }
    return answered
  } finally {
    for (const controller of attempts) controller.abort()
  }
}

/** Resolves with the stream when its first bytes are there; rejects and ends it when it closes or the signal aborts. */
function readFirstLine(stream: Duplex, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      stream.off('readable', onReadable)
      stream.off('close', onEnd)
      stream.off('end', onEnd)
      stream.off('error', onEnd)
      signal.removeEventListener('abort', onEnd)
    }
    const onEnd = () => {
      settle()
      // A late error of a stream nobody wants is nobody's error.
      stream.on('error', () => undefined)
      stream.destroy()
      reject(new Error('no answer'))
    }
    const onReadable = () => {
      const bytes: Buffer | null = stream.read()
      if (bytes === null) return
      settle()
      stream.unshift(bytes)
      // The stream leaves its read mode a moment after the listener is gone.
      setImmediate(() => resolve(stream))
    }
    stream.on('readable', onReadable)
    stream.on('close', onEnd)
    stream.on('end', onEnd)
    stream.on('error', onEnd)
    signal.addEventListener('abort', onEnd, { once: true })
    if (signal.aborted) onEnd()
  })
}
