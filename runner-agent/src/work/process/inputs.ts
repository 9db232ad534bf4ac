import { setTimeout as delay } from 'node:timers/promises'
import type { FailureCode, ProcessInput } from '@hearth/contract'
import { backoff, Deadline, HearthError, toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import { GuestMisbehaved } from '../../guest/guest.ts'
import { type GuestInputs, InputRefused } from '../../guest/input.ts'

/** How long all inputs of a process may take to be brought. */
export const inputsMilliseconds = 15 * 60_000
const mostAttempts = 20
/** Inputs that are brought at the same time on this host: each needs memory and the line to the control plane. */
const mostAtOnce = 2

/** The inputs of a process could not be brought. */
export class InputsMissing extends Error {
  override readonly name = 'InputsMissing'

  constructor(
    message: string,
    readonly code: FailureCode,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

export interface InputSource {
  readArtifact?:
    | ((artifactId: string, from: number, signal: AbortSignal) => AsyncIterable<Uint8Array>)
    | undefined
  log: Logger
}

/** Brings the inputs of processes from the control plane into their guests. */
export class Inputs {
  private running = 0
  private readonly waiting: (() => void)[] = []

  constructor(private readonly source: InputSource) {}

  /** Resolves when all are there; throws InputsMissing, or the signal's reason. */
  async bring(wanted: readonly ProcessInput[], guest: GuestInputs, signal: AbortSignal): Promise<void> {
    using deadline = new Deadline(inputsMilliseconds, signal)
    for (const input of wanted) {
      try {
        await this.inTurn(deadline.signal, () => this.attempt(input, guest, deadline.signal))
      } catch (thrown) {
        signal.throwIfAborted()
        if (thrown instanceof GuestMisbehaved || thrown instanceof InputsMissing) throw thrown
        if (thrown instanceof InputRefused)
          throw new InputsMissing(thrown.message, 'command_failed', { cause: thrown })
        const why = deadline.hasPassed ? 'not in time' : toError(thrown).message
        throw new InputsMissing(
          `${input.path} could not be brought into the guest: ${why}`,
          'deadline_passed',
          {
            cause: thrown,
          },
        )
      }
    }
  }

  /** Tried again where the line was cut, on this side or on the other; what has come by then stays. */
  private async attempt(input: ProcessInput, guest: GuestInputs, signal: AbortSignal): Promise<void> {
    const { readArtifact, log } = this.source
    if (readArtifact === undefined) throw new InputsMissing('this agent brings no inputs', 'host_refused')
    for (let attempt = 0; ; attempt += 1) {
      try {
        await guest.bring(input, (from, asked) => readArtifact(input.artifactId, from, asked), signal)
        return
      } catch (thrown) {
        signal.throwIfAborted()
        if (thrown instanceof HearthError)
          throw new InputsMissing(thrown.message, 'host_refused', { cause: thrown })
        if (thrown instanceof InputRefused || thrown instanceof GuestMisbehaved) throw thrown
        if (attempt + 1 >= mostAttempts) throw thrown
        log.info({ path: input.path, error: toError(thrown).message }, 'an input is brought again')
        await delay(backoff(attempt, { first: 200, most: 10_000 }), undefined, { signal })
      }
    }
  }

  private async inTurn(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    while (this.running >= mostAtOnce) {
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
      signal.throwIfAborted()
    }
    this.running += 1
    try {
      await work()
    } finally {
      this.running -= 1
      for (const wake of this.waiting.splice(0)) wake()
    }
  }
}
