import type { IncomingMessage } from 'node:http'
import { type AskCall, askLimits, type Call } from '@hearth/contract'
import { Deadline, HearthError, toError } from '@hearth/foundation'
import type { CallAnswer } from '@hearth/messaging'
import { CallLost } from '../../guest/call.ts'
import type { Lease } from '../../lease/lease.ts'
import type { MachineChanges } from '../machine-changes.ts'
import type { Guests } from '../process/guests.ts'
import { AnswerPieces, openProgramPort, type PortContext, requestOver } from './guest-request.ts'
import type { OpenCalls } from './open-calls.ts'
import { runningMachine } from './running-machine.ts'

export interface ExchangeContext extends PortContext {
  runnerId: string
  lease: Pick<Lease, 'assertHeld'>
  machines: PortContext['machines'] & Parameters<typeof runningMachine>[0]['machines']
  machineChanges: MachineChanges
  guests: Pick<Guests, 'taskRuns'>
}

interface Exchange {
  environmentId: string
  pieces: AnswerPieces
  end(): void
  /** Ends it when nobody reads on. */
  forgetting: NodeJS.Timeout | null
}

/**
 * Requests to the programs of pipelines whose answers are read piece by piece, each asked for when the one before was taken: so
 * no more than a piece is in memory, and a program that says much waits for who listens.
 */
export class Exchanges {
  private readonly open = new Map<string, Exchange>()

  constructor(
    private readonly context: ExchangeContext,
    private readonly calls: OpenCalls,
  ) {}

  /** Sends the request; what is answered is then read by `more`, or told as a whole. */
  async ask(call: AskCall, signal: AbortSignal): Promise<CallAnswer> {
    const { context } = this
    const { environmentId } = call
    await context.lease.assertHeld()
    const machine = await runningMachine(context, environmentId)
    const ended = new AbortController()
    const stops = [this.calls.begin(environmentId, call.isListening), context.guests.taskRuns(environmentId)]
    let answer: IncomingMessage | null = null
    const end = () => {
      ended.abort(new HearthError('unavailable', 'nobody reads the answer any more'))
      answer?.destroy()
      for (const stop of stops.splice(0)) stop()
    }
    stops.push(
      context.machineChanges.listen((changed) => {
        if (changed !== environmentId) return
        runningMachine(context, environmentId).catch((gone: unknown) => {
          ended.abort(gone)
          end()
        })
      }),
    )
    let isSent = false
    using deadline = new Deadline(askLimits.answerSeconds * 1000, signal)
    try {
      const both = AbortSignal.any([ended.signal, deadline.signal])
      const stream = await openProgramPort(context, machine, both)
      isSent = true
      answer = await requestOver(stream, call, both)
      const pieces = new AnswerPieces(answer)
      const status = statusOf(answer.statusCode)
      if (!call.isStreamed) return await whole(pieces, status, both)
      const { content, isEnd } = await pieces.next(askLimits.pieceSeconds * 1000, both)
      if (!isEnd) this.keep(call.id, { environmentId, pieces, end, forgetting: null })
      return { reply: { reply: 'asked', status, isEnd, bytes: content.length }, content }
    } catch (thrown) {
      const cause = deadline.hasPassed ? tooSlow() : toError(thrown)
      throw isSent ? new CallLost(cause.message, { cause }) : cause
    } finally {
      if (!this.open.has(call.id)) end()
    }
  }

  async more(
    { ask, environmentId }: Extract<Call, { call: 'more' }>,
    signal: AbortSignal,
  ): Promise<CallAnswer> {
    const exchange = this.take(ask, environmentId)
    if (exchange === null) throw new HearthError('not_found', 'the answer is not read any more: ask again')
    let isKept = false
    try {
      const { content, isEnd } = await exchange.pieces.next(askLimits.pieceSeconds * 1000, signal)
      isKept = !isEnd
      if (isKept) this.keep(ask, exchange)
      return { reply: { reply: 'piece', isEnd, bytes: content.length }, content }
    } finally {
      if (!isKept) exchange.end()
    }
  }

  leave({ ask, environmentId }: Extract<Call, { call: 'leave' }>): CallAnswer {
    this.take(ask, environmentId)?.end()
    return { reply: { reply: 'left' }, content: Buffer.alloc(0) }
  }

  private keep(id: string, exchange: Exchange): void {
    this.open.set(id, exchange)
    exchange.forgetting = setTimeout(() => {
      this.take(id, exchange.environmentId)?.end()
    }, askLimits.keptSeconds * 1000)
    exchange.forgetting.unref()
  }

  /** One read at a time: while a piece is waited for, it is nobody else's. */
  private take(id: string, environmentId: string): Exchange | null {
    const exchange = this.open.get(id)
    if (exchange === undefined || exchange.environmentId !== environmentId) return null
    this.open.delete(id)
    if (exchange.forgetting !== null) clearTimeout(exchange.forgetting)
    exchange.forgetting = null
    return exchange
  }
}

const tooSlow = () =>
  new HearthError(
    'unavailable',
    `the program of the pipeline did not answer within ${askLimits.answerSeconds} s`,
  )

/** Statuses that have no answer of their own are none that a program gives. */
function statusOf(said: number | undefined): number {
  if (said !== undefined && said >= 200 && said <= 599) return said
  throw new HearthError('unavailable', 'the program of the pipeline sent what is no answer')
}

async function whole(pieces: AnswerPieces, status: number, signal: AbortSignal): Promise<CallAnswer> {
  const parts: Buffer[] = []
  let bytes = 0
  for (;;) {
    const { content, isEnd } = await pieces.next(askLimits.pieceSeconds * 1000, signal)
    bytes += content.length
    if (bytes > askLimits.answerBytes)
      throw new HearthError(
        'unavailable',
        `the program of the pipeline answered with more than ${askLimits.answerBytes} bytes`,
      )
    parts.push(content)
    if (isEnd) return { reply: { reply: 'asked', status, isEnd, bytes }, content: Buffer.concat(parts) }
  }
}
