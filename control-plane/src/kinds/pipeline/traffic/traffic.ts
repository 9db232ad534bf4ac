import { pipelineTrafficLimits, startOfText } from '@hearth/contract'
import { Deadline, type ErrorCode, HearthError } from '@hearth/foundation'
import type { Context } from 'hono'
import { z } from 'zod'
import type { ApplicationEnvironment } from '../../../api/application.ts'
import { byteStream } from '../../../api/byte-stream.ts'
import type { Caller } from '../../../api/caller.ts'
import type { Services } from '../../../api/services.ts'
import { askProgram, type ProgramAnswer, streamFromProgram } from '../../environment/index.ts'
import type { PipelineRow } from '../table.ts'
import { programRequestOf, type TrafficRequest } from './requests.ts'

export interface TrafficCaller {
  caller: Caller
  context: Context<ApplicationEnvironment>
}

/** Asks the program of a running pipeline, and resolves with its whole answer, as JSON. */
export async function askPipeline(
  services: Services,
  { caller, context }: TrafficCaller,
  row: PipelineRow,
  request: TrafficRequest,
): Promise<unknown> {
  const environmentId = requireMachine(row)
  using open = services.streams.open(caller)
  const from = { caller, environmentId, signal: context.req.raw.signal, tokenEnded: open.tokenEnded }
  const key = context.req.header('Idempotency-Key') ?? null
  const answer = await askProgram(services, from, programRequestOf(request), key)
  requireSuccess(answer.status, answer.content)
  try {
    return JSON.parse(answer.content.toString('utf8'))
  } catch {
    throw new HearthError('unavailable', 'the program of the pipeline answered with what is no JSON')
  }
}

/**
 * Asks the program of a running pipeline, and passes on what it answers as it comes: no more than a piece is in memory, and the program
 * waits for its reader. It ends with its reader, its token, its bounds, and this control plane.
 */
export async function streamPipeline(
  services: Services,
  { caller, context }: TrafficCaller,
  row: PipelineRow,
  request: Extract<TrafficRequest, { ask: 'query' | 'egress' }>,
): Promise<Response> {
  const environmentId = requireMachine(row)
  const open = services.streams.open(caller)
  const isListening = request.ask === 'egress'
  const { listenBytes, listenSeconds, answerBytes, answerSeconds } = pipelineTrafficLimits
  const left = new AbortController()
  const seconds = isListening ? listenSeconds : answerSeconds
  const deadline = new Deadline(seconds * 1000, context.req.raw.signal, left.signal)
  const close = () => {
    left.abort()
    deadline[Symbol.dispose]()
    open[Symbol.dispose]()
  }
  try {
    const from = { caller, environmentId, signal: deadline.signal, tokenEnded: open.tokenEnded }
    const answer = await streamFromProgram(services, from, { ...programRequestOf(request), isListening })
    await refuseStreamed(answer)
    const pieces = bounded(answer.content, isListening ? listenBytes : answerBytes)
    const type = request.format === 'json' ? 'application/json' : 'text/plain; charset=utf-8'
    return new Response(byteStream(pieces, close), {
      headers: { 'Content-Type': type, 'X-Content-Type-Options': 'nosniff' },
    })
  } catch (thrown) {
    close()
    throw thrown
  }
}

/** Where the program of a pipeline runs; refused for one that does not run, as requests to it are. */
function requireMachine({ name, resources, desired, status }: PipelineRow): string {
  const environmentId = status.deployment?.environmentId ?? null
  if (resources === 'provisioned' && desired === 'provisioned' && environmentId !== null) return environmentId
  const is = resources === 'provisioned' ? 'about to stop' : resources
  throw new HearthError(
    'conflict',
    `pipeline ${name}: it is ${is}: there is no program that could be asked`,
    {
      facts: { refusal: 'not_provisioned' },
    },
  )
}

const saidSchema = z.object({ message: z.string() })
const mostMessageBytes = 2_000
/** Of a refusal, as much as is looked at. */
const mostRefusalBytes = 64 * 1024

function requireSuccess(status: number, content: Buffer): void {
  if (status >= 200 && status < 300) return
  const said = messageIn(content)
  throw new HearthError(codeOf(status), `the program of the pipeline answered ${status}${said}`, {
    facts: { programStatus: status },
  })
}

/** What a program says of why it refuses, in one line. */
function messageIn(content: Buffer): string {
  try {
    const { message } = saidSchema.parse(JSON.parse(content.toString('utf8')))
    const line = message.toWellFormed().replaceAll(/\p{C}/gu, ' ').trim()
    return line === '' ? '' : `: ${startOfText(line, mostMessageBytes)}`
  } catch {
    return ''
  }
}

function codeOf(status: number): ErrorCode {
  switch (status) {
    case 404:
      return 'not_found'
    case 409:
      return 'conflict'
    case 413:
      return 'too_large'
    case 429:
      return 'rate_limited'
    default:
      return status >= 400 && status < 500 ? 'invalid' : 'unavailable'
  }
}

async function refuseStreamed({
  status,
  content,
}: ProgramAnswer<AsyncGenerator<Buffer, void>>): Promise<void> {
  if (status >= 200 && status < 300) return
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of content) {
    pieces.push(piece)
    bytes += piece.length
    if (bytes >= mostRefusalBytes) break
  }
  requireSuccess(status, Buffer.concat(pieces))
}

async function* bounded(
  pieces: AsyncGenerator<Buffer, void>,
  mostBytes: number,
): AsyncGenerator<Buffer, void> {
  let bytes = 0
  for await (const piece of pieces) {
    bytes += piece.length
    if (bytes > mostBytes)
      throw new HearthError('too_large', `the answer has more than ${mostBytes} bytes: ask for less at once`)
    if (piece.length > 0) yield piece
  }
}
