import { setTimeout as delay } from 'node:timers/promises'

/** What is refused is refused by then. */
const refusalMilliseconds = 50

/**
 * The answer of a stream before its first message, which the library waits for: whoever watches reads what there is once the
 * stream is open, and may have nothing to wait for but that. A refusal keeps its own status.
 */
export async function atOnce(answer: Promise<Response>, contentType: string): Promise<Response> {
  const soon = await Promise.race([answer, delay(refusalMilliseconds, null, { ref: false })])
  if (soon !== null) return soon
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  answer
    .then(({ body }) => (body === null ? writable.close() : body.pipeTo(writable)))
    // The client has gone, or is told by the end of its stream.
    .catch((error: unknown) => writable.abort(error).catch(() => undefined))
  return new Response(readable, { headers: { 'Content-Type': contentType, 'Cache-Control': 'no-store' } })
}
