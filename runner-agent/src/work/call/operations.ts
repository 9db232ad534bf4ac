import { HearthError } from '@hearth/foundation'
import type { CallAnswer } from '@hearth/messaging'
import { CallLost } from '../../guest/call.ts'
import { GuestMisbehaved } from '../../guest/guest.ts'
import { unlessAborted } from '../../guest/unless-aborted.ts'

/** How long the answer of an operation is kept for a repeat. */
const keptMilliseconds = 600_000
const mostKept = 500
const mostKeptBytes = 32 * 1024 * 1024
/** How long an operation that all have left goes on: whoever lost the connection may ask again. */
const lingerMilliseconds = 10_000

interface Operation {
  digest: string
  answer: Promise<CallAnswer>
  stop: AbortController
  waiting: number
  leaving: NodeJS.Timeout | null
  /** When it ended, and the bytes of its answer; null while it runs. */
  ended: { at: number; bytes: number } | null
}

/**
 * What was asked for under a key: done once, whoever asks again while it runs or soon after gets the same answer. It is
 * called off when nobody has waited for it for a while.
 */
export class Operations {
  private readonly known = new Map<string, Operation>()

  constructor(private readonly now: () => number) {}

  /** Throws `idempotency_mismatch` when the key was used for something else. */
  async run(
    key: string,
    digest: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<CallAnswer>,
  ): Promise<CallAnswer> {
    this.forgetOld()
    const operation = this.known.get(key) ?? this.begin(key, digest, work)
    if (operation.digest !== digest)
      throw new HearthError('idempotency_mismatch', 'this key was used for another command: use a new key')
    operation.waiting += 1
    if (operation.leaving !== null) clearTimeout(operation.leaving)
    operation.leaving = null
    try {
      return await unlessAborted(operation.answer, signal)
    } finally {
      operation.waiting -= 1
      if (operation.waiting === 0 && operation.ended === null) {
        operation.leaving = setTimeout(() => operation.stop.abort(calledOff()), lingerMilliseconds)
        operation.leaving.unref()
      }
    }
  }

  private begin(key: string, digest: string, work: (signal: AbortSignal) => Promise<CallAnswer>): Operation {
    const stop = new AbortController()
    const answer = work(stop.signal)
    const operation: Operation = { digest, answer, stop, waiting: 0, leaving: null, ended: null }
    this.known.set(key, operation)
    answer.then(
      ({ reply, content }) => {
        operation.ended = { at: this.now(), bytes: content.length }
        // A program that did not do it may be asked again.
        if (reply.reply === 'asked' && reply.status >= 300) this.known.delete(key)
      },
      (thrown: unknown) => {
        operation.ended = { at: this.now(), bytes: 0 }
        // What did not begin may be tried again.
        const mayHaveRun =
          thrown instanceof CallLost || thrown instanceof GuestMisbehaved || stop.signal.aborted
        if (!mayHaveRun) this.known.delete(key)
      },
    )
    return operation
  }

  /** Those that ended first are forgotten first. */
  private forgetOld(): void {
    const now = this.now()
    const ended = [...this.known].flatMap(([key, { ended: end }]) => (end === null ? [] : [{ key, ...end }]))
    ended.sort((one, other) => other.at - one.at)
    let bytes = 0
    for (const [index, each] of ended.entries()) {
      bytes += each.bytes
      if (index >= mostKept || bytes > mostKeptBytes || now - each.at > keptMilliseconds)
        this.known.delete(each.key)
    }
  }
}

const calledOff = () =>
  new HearthError('conflict', 'the command was ended because whoever waited for it had left')
