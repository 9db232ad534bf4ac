import { type ProcessOrder, processLogKey, type ReportedRun } from '@hearth/contract'
import type { KnownRun } from '../../guest/process.ts'
import { LogPublisher } from '../../reporting/log-publisher.ts'
import { StepOutput } from '../environment/step-output.ts'
import type { SecretAutomaton } from '../secret-automaton.ts'
import type { ProcessContext } from './process-context.ts'

/** How soon a line is sent that nothing follows, in milliseconds. */
const liveMilliseconds = 50

/** One run as it is told to the control plane, and its output on the way there. */
export class RunLog {
  /** Bytes of the output that were taken from the guest. */
  offset = 0
  readyAt: number | null = null
  /** Whether the whole of the output was taken. */
  isEnded = false
  private readonly output: StepOutput

  constructor(
    order: Pick<ProcessOrder, 'id' | 'runnerId' | 'environmentId'>,
    readonly number: number,
    secrets: SecretAutomaton,
    context: ProcessContext,
  ) {
    const { clock, log, closing } = context
    const logs = new LogPublisher(
      context.logs,
      order.runnerId,
      { environmentId: order.environmentId, step: processLogKey(order.id, number) },
      clock,
      log,
      closing,
      liveMilliseconds,
    )
    this.output = new StepOutput(secrets, {
      onText: (text, offset) => logs.add(text, offset),
      onEnd: (bytes) => context.track(logs.end(bytes)),
    })
  }

  /** Takes the next piece; where the guest kept nothing in between, that is said in its place. */
  add(offset: number, chunk: Buffer): void {
    if (offset > this.offset) {
      this.output.add(Buffer.from(`\n... ${offset - this.offset} bytes are left out ...\n`))
    }
    this.output.add(chunk)
    this.offset = offset + chunk.length
  }

  end(): void {
    this.isEnded = true
    this.output.end()
  }

  shownAs(run: KnownRun): ReportedRun {
    const at = (milliseconds: number) => new Date(Math.max(0, milliseconds)).toISOString()
    const { ending } = run
    const readyAt = run.readyAt ?? this.readyAt
    return {
      number: run.number,
      request: run.request,
      startedAt: at(run.startedAt),
      readyAt: readyAt === null ? null : at(readyAt),
      finishedAt: ending === null ? null : at(ending.finishedAt),
      cause: ending?.cause ?? null,
      exitCode: ending?.exitCode ?? null,
      signal: ending?.signal ?? null,
      outputBytes: this.offset,
      output: this.output.shown,
    }
  }
}
