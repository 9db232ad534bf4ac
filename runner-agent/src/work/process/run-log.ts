import { type JournalLine, type ProcessOrder, processLogKey, type ReportedRun } from '@hearth/contract'
import type { KnownRun } from '../../guest/process.ts'
import { LogPublisher } from '../../reporting/log-publisher.ts'
import { SecretMask } from '../environment/secret-mask.ts'
import { StepOutput } from '../environment/step-output.ts'
import type { SecretAutomaton } from '../secret-automaton.ts'
import { Journal } from './journal.ts'
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
  private readonly journal: Journal | null

  constructor(
    order: Pick<ProcessOrder, 'id' | 'runnerId' | 'environmentId' | 'journal'>,
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
    const masked = (text: string) => {
      const mask = new SecretMask(secrets)
      return mask.push(Buffer.from(text)) + mask.end()
    }
    this.journal = order.journal === null ? null : new Journal(number, order.journal, masked)
    this.output = new StepOutput(secrets, {
      onText: (text, offset) => logs.add(text, offset),
      onEnd: (bytes) => context.track(logs.end(bytes)),
    })
  }

  /** The newest lines that are to be told at once. */
  get journalLines(): readonly JournalLine[] {
    return this.journal?.lines ?? []
  }

  /**
   * Takes the next piece; where the guest kept nothing in between, that is said in its place. True when there is something
   * that is to be told at once.
   */
  add(offset: number, chunk: Buffer): boolean {
    if (offset > this.offset) {
      this.output.add(Buffer.from(`\n... ${offset - this.offset} bytes are left out ...\n`))
    }
    this.output.add(chunk)
    this.offset = offset + chunk.length
    return this.journal?.add(offset, chunk) ?? false
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
