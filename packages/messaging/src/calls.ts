import {
  type Answered,
  bytesOfReply,
  type Call,
  type CallReply,
  callReplySchema,
  callRequestSchema,
  mostMessageBytes,
  subjects,
} from '@hearth/contract'
import { HearthError, toError } from '@hearth/foundation'
import { createInbox, type Msg } from '@nats-io/transport-node'
import { Allowance } from './allowance.ts'
import type { Connection } from './connection.ts'
import { delay } from './delay.ts'
import { checkSubject, decode, encode } from './message.ts'
import { subscribe } from './subscribe.ts'

/** What an agent has done, and the bytes that belong to it. */
export interface CallAnswer {
  reply: Answered
  content: Buffer
}

export interface CallOptions {
  /** Milliseconds until it is given up. */
  deadlineMilliseconds: number
  signal: AbortSignal
}

const partBytes = 256 * 1024

/**
 * Asks a runner's agent to do something at once, and resolves with what it has done. Throws what the agent refuses, and
 * `unavailable` where no agent listens, it falls silent, or the time is up; the call is then called off.
 */
export async function requestCall(
  connection: Connection,
  request: Call,
  { deadlineMilliseconds, signal }: CallOptions,
): Promise<CallAnswer> {
  signal.throwIfAborted()
  const { nats, timings } = connection
  const subject = subjects.call(request.runnerId)
  const payload = new TextEncoder().encode(encode(request))
  const largest = nats.info?.max_payload ?? Number.POSITIVE_INFINITY
  if (payload.length > largest)
    throw new HearthError(
      'too_large',
      `a call of ${payload.length} bytes is over the ${largest} that NATS takes`,
    )
  // It would be sent when there is a connection again, to whoever does not wait for it any more.
  if (!connection.isConnected()) throw new HearthError('unavailable', 'NATS is not reached at the moment')
  const inbox = createInbox()
  const answers = nats.subscribe(inbox)
  const answer = new Answer()
  let fault: Error | null = null
  const end = (error: Error) => {
    fault ??= error
    answers.unsubscribe()
  }
  const onAbort = () => end(toError(signal.reason))
  signal.addEventListener('abort', onAbort, { once: true })
  const whole = setTimeout(
    () => end(new HearthError('unavailable', 'the host did not end the call in time')),
    deadlineMilliseconds,
  )
  let silence = setTimeout(
    () =>
      end(new HearthError('unavailable', 'no agent of the host is connected, or it is too old to be asked')),
    timings.callTaken,
  )
  const hear = () => {
    clearTimeout(silence)
    silence = setTimeout(
      () => end(new HearthError('unavailable', 'the agent of the host does not answer any more')),
      timings.callSilence,
    )
  }
  try {
    nats.publish(subject, payload, { reply: inbox })
    for await (const message of answers) {
      hear()
      const complete = answer.add(message)
      if (complete !== null) return complete
    }
    throw fault ?? new HearthError('unavailable', 'the connection to NATS was closed')
  } finally {
    clearTimeout(whole)
    clearTimeout(silence)
    signal.removeEventListener('abort', onAbort)
    answers.unsubscribe()
    const { id, runnerId } = request
    if (!answer.isOver && !nats.isClosed()) nats.publish(subject, encode({ call: 'cancel', id, runnerId }))
  }
}

/** An answer as it arrives: its reply, then as many bytes as that says. */
class Answer {
  /** Whether the agent does nothing more for it. */
  isOver = false
  private reply: Answered | null = null
  private readonly parts: Uint8Array[] = []
  private left = 0

  /** Returns the whole answer with its last message. Throws what the agent refuses, or `unavailable` for what is no answer. */
  add(message: Msg): CallAnswer | null {
    if (this.reply === null) {
      const reply = read(message)
      if (reply.reply === 'alive') return null
      this.isOver = true
      if (reply.reply === 'refused') throw new HearthError(reply.code, reply.message)
      this.reply = reply
      this.left = bytesOfReply(reply)
    } else {
      this.left -= message.data.byteLength
      if (this.left < 0)
        throw new HearthError('unavailable', 'the agent of the host sent more than it had said')
      this.parts.push(message.data)
    }
    return this.left === 0 ? { reply: this.reply, content: Buffer.concat(this.parts) } : null
  }
}

function read(message: Msg): CallReply {
  try {
    return decode(callReplySchema, message, mostMessageBytes.call)
  } catch (thrown) {
    throw new HearthError('unavailable', 'the agent of the host sent what is no answer', { cause: thrown })
  }
}

/** Does what is asked for until the signal aborts. What it throws as HearthError is what the caller is told. */
export type CallHandler = (call: Call, signal: AbortSignal) => Promise<CallAnswer>

/** More than one control plane asks for, and what an agent can leave unread without a word. */
const allowed = { perSecond: 200, burst: 1_000 }

/** Until calls are listened to again that NATS did not let this user hear. */
const deniedMilliseconds = 60_000

/**
 * Serves the calls to one runner until the signal aborts; those that run are called off then. Credentials that an older
 * control plane has signed do not let a runner hear calls: that is reported as a problem, and ends nothing.
 */
export async function serveCalls(
  connection: Connection,
  runnerId: string,
  handle: CallHandler,
  signal: AbortSignal,
): Promise<void> {
  const open = new Map<string, AbortController>()
  const subject = subjects.call(runnerId)
  const allowance = new Allowance(allowed)
  const admit = () => allowance.take(runnerId)
  const listen = () =>
    subscribe(connection, { subject, signal, admit }, async (message) => {
      const request = decode(callRequestSchema, message, mostMessageBytes.call)
      checkSubject(message.subject, subjects.call(request.runnerId))
      if (request.call === 'cancel') {
        open.get(request.id)?.abort(new Error('the caller has left'))
        return
      }
      if (open.has(request.id)) return
      const cancelled = new AbortController()
      open.set(request.id, cancelled)
      const sayAlive = () => message.respond(encode({ reply: 'alive' }))
      sayAlive()
      const alive = setInterval(sayAlive, connection.timings.callAlive)
      try {
        respond(message, await handle(request, AbortSignal.any([signal, cancelled.signal])))
      } catch (thrown) {
        if (!cancelled.signal.aborted) message.respond(encode(refusalOf(thrown)))
        if (!(thrown instanceof HearthError)) throw thrown
      } finally {
        clearInterval(alive)
        open.delete(request.id)
      }
    })
  while (!signal.aborted) {
    await listen().catch((thrown: unknown) => connection.onProblem(subject, toError(thrown)))
    if (connection.nats.isClosed()) return
    await delay(deniedMilliseconds, signal)
  }
}

function respond(message: Msg, { reply, content }: CallAnswer): void {
  message.respond(encode(reply))
  for (let at = 0; at < content.length; at += partBytes) message.respond(content.subarray(at, at + partBytes))
}

const codes = [
  'invalid',
  'not_found',
  'conflict',
  'idempotency_mismatch',
  'rate_limited',
  'unavailable',
] as const

/** What went wrong inside the agent is told as `unavailable`. */
function refusalOf(thrown: unknown): CallReply {
  const code = codes.find((each) => thrown instanceof HearthError && thrown.code === each)
  const said = code === undefined ? 'the agent of the host could not do it' : toError(thrown).message
  const line = said.toWellFormed().replaceAll(/\p{C}/gu, ' ').slice(0, 500)
  return { reply: 'refused', code: code ?? 'unavailable', message: line }
}
