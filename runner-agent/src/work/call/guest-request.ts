import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { type AskCall, askLimits, pipelinePort } from '@hearth/contract'
import { Deadline, HearthError, toError } from '@hearth/foundation'
import { unlessAborted } from '../../guest/unless-aborted.ts'
import type { Machine } from '../../host/machine.ts'
import type { Machines } from '../../host/machines.ts'
import type { OpenGuestPort } from '../route/route-context.ts'

export interface PortContext {
  machines: Pick<Machines, 'reach'>
  /** Opens a connection to a port of a guest that its host does not reach by itself; undefined where nothing does. */
  openGuestPort?: OpenGuestPort | undefined
}

const headerBytes = 16 * 1024

/**
 * Sends a request to the program of a pipeline, and resolves when it begins to answer. Whatever it says of itself, the answer is bytes
 * with a status.
 */
export async function requestOver(
  stream: Duplex,
  call: Pick<AskCall, 'method' | 'path' | 'body'>,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const onAbort = () => stream.destroy(toError(signal.reason))
  signal.addEventListener('abort', onAbort, { once: true })
  stream.once('close', () => signal.removeEventListener('abort', onAbort))
  try {
    signal.throwIfAborted()
    return await unlessAborted(answerTo(sent(stream, call)), signal)
  } catch (thrown) {
    stream.destroy()
    throw thrown
  }
}

function sent(stream: Duplex, { method, path, body }: Pick<AskCall, 'method' | 'path' | 'body'>) {
  const content = body === null ? null : Buffer.from(body, 'base64')
  const asked = request({
    method,
    path,
    host: '127.0.0.1',
    port: pipelinePort,
    createConnection: () => stream,
    maxHeaderSize: headerBytes,
    headers: content === null ? {} : { 'Content-Length': content.length },
  })
  asked.end(content ?? undefined)
  return asked
}

function answerTo(asked: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const brokenOff = (cause: Error) =>
      reject(
        new HearthError('unavailable', 'the program of the pipeline broke the connection off', { cause }),
      )
    asked.once('response', resolve)
    // Also after it has begun to answer, where it is the answer that ends with an error.
    asked.on('error', brokenOff)
    // Without an error where what it says is that it speaks another protocol from now on.
    asked.once('close', () => brokenOff(new Error('it ended without an answer')))
  })
}

const openSeconds = 20

/** Connects to the one port of a machine at which the program of a pipeline answers. */
export async function openProgramPort(
  { machines, openGuestPort }: PortContext,
  machine: Machine,
  signal: AbortSignal,
): Promise<Duplex> {
  const { environmentId, address, identity } = machine
  using within = new Deadline(openSeconds * 1000, signal)
  try {
    // Where both are there, only this one gets to the loopback of the guest.
    if (openGuestPort !== undefined && address !== null && identity !== null)
      return await openGuestPort({ environmentId, address, identity }, pipelinePort, within.signal)
    const reached = await machines.reach(environmentId, pipelinePort)
    if (reached === null) throw new Error('no port of the machine is reached from this host')
    return await dial(reached, within.signal)
  } catch (thrown) {
    signal.throwIfAborted()
    throw new HearthError(
      'unavailable',
      `the program of the pipeline is not reached at port ${pipelinePort}`,
      {
        cause: thrown,
      },
    )
  }
}

function dial(at: { host: string; port: number }, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect(at)
    const giveUp = () => socket.destroy(toError(signal.reason))
    signal.addEventListener('abort', giveUp, { once: true })
    socket.once('close', () => signal.removeEventListener('abort', giveUp))
    socket.once('error', reject)
    socket.once('connect', () => {
      signal.removeEventListener('abort', giveUp)
      resolve(socket)
    })
  })
}

/** The bytes that have come of an answer, as far as they fit a piece; waits for the first of them, or for the end. */
export class AnswerPieces {
  private isOver = false
  private fault: Error | null = null

  constructor(private readonly response: IncomingMessage) {
    // It is read when somebody asks.
    response.on('readable', () => undefined)
    response.once('end', () => {
      this.isOver = true
    })
    response.on('error', (error) => {
      this.fault ??= error
    })
    response.once('close', () => {
      if (!response.complete) this.fault ??= new Error('it was cut off')
    })
  }

  async next(milliseconds: number, signal: AbortSignal): Promise<{ content: Buffer; isEnd: boolean }> {
    let content = this.read()
    if (content.length === 0 && !this.isSettled()) {
      await this.something(milliseconds, signal)
      content = this.read()
    }
    if (content.length === 0 && this.fault !== null)
      throw new HearthError('unavailable', 'the program of the pipeline did not end its answer', {
        cause: this.fault,
      })
    return { content, isEnd: this.isOver }
  }

  private isSettled = () => this.isOver || this.fault !== null

  private read(): Buffer {
    const pieces: Buffer[] = []
    let left: number = askLimits.pieceBytes
    while (left > 0 && !this.isSettled()) {
      const { readableLength } = this.response
      const wanted = readableLength === 0 ? undefined : Math.min(left, readableLength)
      const piece = this.response.read(wanted) as Buffer | null
      if (piece === null) break
      pieces.push(piece)
      left -= piece.length
    }
    return Buffer.concat(pieces)
  }

  private something(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const events = ['readable', 'end', 'error', 'close'] as const
      const settle = () => {
        clearTimeout(timer)
        for (const event of events) this.response.off(event, done)
        signal.removeEventListener('abort', onAbort)
      }
      const done = () => {
        settle()
        resolve()
      }
      const onAbort = () => {
        settle()
        reject(signal.reason)
      }
      const timer = setTimeout(done, milliseconds)
      for (const event of events) this.response.on(event, done)
      signal.addEventListener('abort', onAbort, { once: true })
      if (signal.aborted) onAbort()
    })
  }
}
