import { createHash } from 'node:crypto'
import { type AskCall, askLimits, type Call } from '@hearth/contract'
import { HearthError, newId, toError } from '@hearth/foundation'
import type { Caller } from '../../../api/caller.ts'
import type { Services } from '../../../api/services.ts'
import { sendCall, type Waiting } from './send-call.ts'
import { runningTarget } from './target.ts'

/** A request to the program of a pipeline, in the machine in which it runs. */
export interface ProgramRequest {
  method: AskCall['method']
  /** With its query. */
  path: string
  body: Buffer | null
}
export interface StreamRequest extends ProgramRequest {
  /** Whether what is answered goes on for as long as somebody listens. */
  isListening: boolean
}
export interface ProgramAnswer<Content> {
  /** Of HTTP. */
  status: number
  content: Content
}
/** Who asks, of which machine. That they may is for the caller of these functions to know. */
export interface ProgramCaller extends Waiting {
  caller: Caller
  environmentId: string
}

/** Beside the time that the program may take: reaching its machine. */
const slackMilliseconds = 30_000
const beginMilliseconds = askLimits.answerSeconds * 1000 + slackMilliseconds
const pieceMilliseconds = askLimits.pieceSeconds * 1000 + slackMilliseconds

/** Asks, and waits for the whole answer; under a key once, as `exec` does. */
export async function askProgram(
  services: Services,
  from: ProgramCaller,
  request: ProgramRequest,
  key: string | null,
): Promise<ProgramAnswer<Buffer>> {
  const { answer } = await begin(services, from, { ...request, isStreamed: false, isListening: false }, key)
  return answer
}

/**
 * Asks, and reads what is answered piece by piece: the next one is asked for when the one before was taken. Who stops reading must
 * `return` the generator, which tells the machine.
 */
export async function streamFromProgram(
  services: Services,
  from: ProgramCaller,
  request: StreamRequest,
): Promise<ProgramAnswer<AsyncGenerator<Buffer, void>>> {
  const { answer, head, isEnd } = await begin(services, from, { ...request, isStreamed: true }, null)
  const first = answer.content
  return {
    status: answer.status,
    content: isEnd ? only(first) : rest(services, from, { head, ask: head.id }, first),
  }
}

type Head = Pick<Call, 'id' | 'runnerId' | 'epoch' | 'environmentId'>

async function begin(
  services: Services,
  from: ProgramCaller,
  { method, path, body, isListening, isStreamed }: StreamRequest & { isStreamed: boolean },
  key: string | null,
) {
  if (body !== null && body.length > askLimits.requestBytes)
    throw new HearthError('too_large', `at most ${askLimits.requestBytes} bytes are sent at once`)
  const { environmentId, runnerId, epoch } = await runningTarget(services, from.environmentId)
  const head = { id: newId(), runnerId, epoch, environmentId }
  const encoded = body === null ? null : body.toString('base64')
  const operation =
    key === null
      ? null
      : { key: digest([from.caller.principalId, key]), digest: digest([method, path, encoded ?? '']) }
  const how = { isStreamed, isListening, operation }
  const call = { call: 'ask' as const, ...head, method, path, body: encoded, ...how }
  const { reply, content } = await sendCall(services, call, beginMilliseconds, from)
  if (reply.reply !== 'asked') throw noAnswer(reply.reply)
  return { answer: { status: reply.status, content }, head, isEnd: reply.isEnd }
}

async function* only(content: Buffer): AsyncGenerator<Buffer, void> {
  yield content
}

async function* rest(
  services: Services,
  from: ProgramCaller,
  { head, ask }: { head: Head; ask: string },
  first: Buffer,
): AsyncGenerator<Buffer, void> {
  let isEnd = false
  try {
    yield first
    while (!isEnd) {
      const call = { call: 'more' as const, ...head, id: newId(), ask }
      const { reply, content } = await sendCall(services, call, pieceMilliseconds, from)
      if (reply.reply !== 'piece') throw noAnswer(reply.reply)
      isEnd = reply.isEnd
      yield content
    }
  } finally {
    if (!isEnd) leave(services, { call: 'leave', ...head, id: newId(), ask })
  }
}

/** Nobody waits for it: where it does not arrive, the agent forgets the answer by itself. */
function leave({ messaging, stopping, log }: Services, call: Call): void {
  messaging
    .call(call, { deadlineMilliseconds: slackMilliseconds, signal: stopping })
    .catch((thrown: unknown) =>
      log.debug(
        { err: toError(thrown), environmentId: call.environmentId },
        'an agent was not told of a leave',
      ),
    )
}

const digest = (asked: readonly string[]) => createHash('sha256').update(JSON.stringify(asked)).digest('hex')

const noAnswer = (reply: string) =>
  new HearthError('unavailable', 'the agent of the host sent what is no answer', {
    privateDetail: `it answered with "${reply}"`,
  })
