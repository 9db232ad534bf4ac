import {
  mostMessageBytes,
  type OrderEnvelope,
  type SyncReply,
  type SyncRequest,
  subjects,
  syncReplySchema,
  syncRequestSchema,
} from '@hearth/contract'
import { HearthError, newId, toError } from '@hearth/foundation'
import { headers } from '@nats-io/transport-node'
import { Allowance } from './allowance.ts'
import type { Connection } from './connection.ts'
import type { KnownWork } from './known-work.ts'
import { checkSubject, decode, encode, type Schema } from './message.ts'
import { subscribe } from './subscribe.ts'

const queue = 'control-plane'
const failureHeader = 'Hearth-Failure'

/**
 * Requests the full desired set from the control plane; throws `unavailable` when none answers in time or it could
 * not.
 */
export async function requestSync(
  connection: Connection,
  request: SyncRequest,
  timeoutMilliseconds: number,
): Promise<SyncReply> {
  const subject = subjects.sync(request.runnerId)
  const reply = await ask(connection, subject, request, timeoutMilliseconds)
  const failure = reply.headers?.get(failureHeader)
  if (failure) throw new HearthError('unavailable', `the control plane could not answer: ${failure}`)
  return decode(replySchema(connection.work), reply)
}

/** Orders are parsed with the schema of their kind. */
const replySchema = (work: KnownWork): Schema<SyncReply> => ({
  parse(value) {
    const read = syncReplySchema.parse(value)
    if (!read.accepted) return read
    return { ...read, orders: read.orders.map((order) => work.order.parse(order)) }
  },
})

async function ask(connection: Connection, subject: string, request: SyncRequest, timeout: number) {
  try {
    return await connection.nats.request(subject, encode(request), {
      timeout,
      // The reply goes to an inbox that names the runner, which `serveSync` compares with the subject.
      noMux: true,
      reply: `${subjects.inbox(request.runnerId)}.${newId()}`,
    })
  } catch (thrown) {
    throw new HearthError('unavailable', 'no control plane answers on NATS', { cause: thrown })
  }
}

/** Answers a request; where the request asks for a page, with at most `mostBytes` bytes of orders. */
export type SyncHandler = (request: SyncRequest, mostBytes: number) => Promise<SyncReply<OrderEnvelope>>

/**
 * Limit of requests: an agent asks three times a minute for each page of its orders of each kind of work, of which there are
 * four, and begins again with the first while one is not answered.
 */
const allowed = { perSecond: 3, burst: 14 }
const mostOrderBytes = 4 * 1024 * 1024

/**
 * Answers requests until the signal aborts; each request is answered by one of the serving processes. Only one
 * request of a runner is answered at a time, since each answer is its whole desired set: another request is told to
 * come again.
 */
export function serveSync(connection: Connection, handle: SyncHandler, signal: AbortSignal): Promise<void> {
  const allowance = new Allowance(allowed)
  const answering = new Set<string>()
  const admit = ({ subject }: { subject: string }) => allowance.take(subject)
  return subscribe(connection, { subject: subjects.allSyncs, queue, signal, admit }, async (message) => {
    const request = decode(syncRequestSchema, message, mostMessageBytes.sync)
    checkSubject(message.subject, subjects.sync(request.runnerId))
    if (!isOwnReply(message.reply, request.runnerId)) {
      throw new HearthError(
        'invalid',
        `the reply subject of ${message.subject} is not the runner's own inbox`,
      )
    }
    try {
      if (answering.has(request.runnerId))
        throw new HearthError('unavailable', 'a request of this runner is being answered: come again')
      answering.add(request.runnerId)
      try {
        message.respond(encode(await handle(request, mostBytes(connection))))
      } finally {
        answering.delete(request.runnerId)
      }
    } catch (thrown) {
      const failure = headers()
      failure.set(failureHeader, thrown instanceof HearthError ? thrown.message : 'an internal error')
      message.respond('', { headers: failure })
      connection.onProblem(message.subject, toError(thrown))
    }
  })
}

/** The rest of a message is reserved for everything but orders. */
function mostBytes({ nats }: Connection): number {
  return Math.min(mostOrderBytes, Math.floor((nats.info?.max_payload ?? mostOrderBytes) * 0.75))
}

/**
 * The control plane may publish anywhere: without this check a runner could make it write to another runner's
 * subjects. NATS replaces the reply subject of another account by one that begins with `_R_`.
 */
function isOwnReply(reply: string | undefined, runnerId: string): boolean {
  return reply?.startsWith(`${subjects.inbox(runnerId)}.`) === true || reply?.startsWith('_R_.') === true
}
