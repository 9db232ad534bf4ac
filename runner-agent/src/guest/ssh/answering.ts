import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { speakFirst } from './speak-first.ts'

const intervalMilliseconds = 100
/** How long the first attempts wait for the SSH server's first line; later attempts wait longer for a slow guest. */
const attemptMilliseconds = 3_000
const mostAttemptMilliseconds = 20_000
/**
 * Maximum number of parallel attempts until one was refused: as long as the guest's network is not up, an attempt may
 * get lost silently.
 */
const attemptsUntilRefused = 4

/**
 * Waits until an SSH server sends its first line and returns that same stream with the line still unread, so that a
 * guest that boots under emulation need not serve a second connection. Rejects when the signal aborts.
 */
export async function waitForAnswer(connect: () => Promise<Duplex>, signal: AbortSignal): Promise<Duplex> {
  const attempts = new Set<AbortController>()
  // A refused connection shows that the guest's network is up: from then on an attempt that is accepted has reached a
  // server.
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
      else abandon(stream)
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

/**
 * Resolves with the stream when its first bytes have arrived; rejects and abandons the stream when it closes or the
 * signal aborts.
 */
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
      // A late error of a stream that was given up is ignored.
      stream.on('error', () => undefined)
      abandon(stream)
      reject(new Error('no answer'))
    }
    const onReadable = () => {
      const bytes: Buffer | null = stream.read()
      if (bytes === null) return
      settle()
      stream.unshift(bytes)
      // The stream leaves flowing mode a moment after its listener is removed.
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

/**
 * Resets the connection instead of closing it: passt before 2024 keeps a processor busy with one that was closed before the
 * guest has answered, and so takes it from the guest that boots.
 */
function abandon(stream: Duplex): void {
  if (stream instanceof Socket) stream.resetAndDestroy()
  else stream.destroy()
}
