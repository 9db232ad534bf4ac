import { Deadline, HearthError, toError } from '@hearth/foundation'
import type { RunnerFile } from '../state/runner-file.ts'

const answerMilliseconds = 30_000
const stalledMilliseconds = 30_000

/**
 * The bytes of an artifact from some place to its end, from the first address of the control plane that answers. Throws
 * HearthError where it refuses them: asking again would not help.
 */
export async function* readArtifact(
  runner: RunnerFile,
  artifactId: string,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const body = await open(runner, artifactId, from, signal)
  const reader = body.getReader()
  try {
    for (;;) {
      using stalled = new Deadline(stalledMilliseconds, signal)
      const { done, value } = await Promise.race([reader.read(), rejection(stalled.signal)])
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

const rejection = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    const fail = () => reject(toError(signal.reason))
    if (signal.aborted) fail()
    else signal.addEventListener('abort', fail, { once: true })
  })

async function open(
  runner: RunnerFile,
  artifactId: string,
  from: number,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  let failure = new Error('the runner has no address of a control plane')
  for (const base of runner.urls) {
    try {
      return await ask(new URL(`/v1/artifacts/${artifactId}/bytes`, base), runner.token, from, signal)
    } catch (thrown) {
      signal.throwIfAborted()
      if (thrown instanceof HearthError) throw thrown
      failure = toError(thrown)
    }
  }
  throw failure
}

async function ask(
  url: URL,
  token: string,
  from: number,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const calling = new AbortController()
  const stop = () => calling.abort(signal.reason)
  const timer = setTimeout(() => calling.abort(new Error('no answer in time')), answerMilliseconds)
  signal.addEventListener('abort', stop, { once: true })
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${token}`, range: `bytes=${from}-` },
      signal: calling.signal,
    })
    if (response.status === 206 && response.body !== null) return response.body
    const text = (await response.text()).slice(0, 500)
    const isRefused = response.status >= 400 && response.status < 500 && ![408, 429].includes(response.status)
    if (isRefused)
      throw new HearthError('not_found', `the control plane refuses an input: ${response.status} ${text}`)
    throw new Error(`the control plane answered ${response.status} for an input`)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}
