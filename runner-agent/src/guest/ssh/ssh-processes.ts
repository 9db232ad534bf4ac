import { setTimeout as delay } from 'node:timers/promises'
import { toError } from '@hearth/foundation'
import { type ProcessPaths, processPaths } from '../bash/process-paths.ts'
import { GuestMisbehaved, GuestUnreachable, type Origin, StaleInGuest } from '../guest.ts'
import type { GuestProcesses, GuestRun, KnownRun, RunEvent } from '../process.ts'
import { followRun } from './follow-run.ts'
import { isFinal, type Links, retryMilliseconds } from './links.ts'
import { parseKnownRun } from './process-known.ts'
import { buildForget, buildNewestRun, buildStop, buildTell, runningExitCode } from './process-requests.ts'
import { runProgram } from './run-program.ts'
import { shown } from './shown.ts'
import { parseStaleNumbers } from './step-outcome.ts'
import { staleExitCode } from './step-script.ts'

const mostRunBytes = 4 * 1024

/** The tasks and services of a guest that is reached over SSH; their ledger is in files of the guest. */
export class SshProcesses implements GuestProcesses {
  constructor(
    private readonly links: Links,
    private readonly paths: ProcessPaths = processPaths,
  ) {}

  newestRun(processId: string, signal: AbortSignal): Promise<KnownRun | null> {
    const program = buildNewestRun(processId, this.paths)
    return this.links.retrying(signal, async ({ shells }) => {
      const options = { purpose: 'the newest run', mostBytes: mostRunBytes, signal }
      const { exitCode, stdout, stderr } = await runProgram(shells, program, options)
      if (exitCode !== 0) throw new Error(`its runs could not be read (exit ${exitCode}): ${shown(stderr)}`)
      return stdout.length === 0 ? null : parseKnownRun(stdout.toString('utf8'))
    })
  }

  async *follow(run: GuestRun, offset: number, origin: Origin, signal: AbortSignal): AsyncIterable<RunEvent> {
    let position = offset
    let isReady = false
    for (;;) {
      const { events, end } = await this.begin(run, position, origin, signal)
      try {
        for await (const event of events) {
          if (event.kind === 'output') position = event.offset + event.chunk.length
          if (event.kind === 'ready') {
            if (isReady) continue
            isReady = true
          }
          if (event.kind === 'ended' && event.run.readyAt !== null && !isReady) {
            yield { kind: 'ready', at: event.run.readyAt }
          }
          yield event
          if (event.kind === 'ended') return
        }
      } catch (thrown) {
        if (thrown instanceof StaleInGuest || thrown instanceof GuestMisbehaved) throw thrown
        // Output that was already delivered counts; the rest is requested again over another connection.
        if (signal.aborted) throw new GuestUnreachable(toError(thrown).message, { cause: signal.reason })
      } finally {
        end()
      }
      await delay(retryMilliseconds, undefined, { signal }).catch(() => undefined)
    }
  }

  stop(processId: string, origin: Origin, signal: AbortSignal): Promise<void> {
    return this.change('stopped', processId, buildStop(processId, origin, this.paths), origin, signal)
  }

  tell(processId: string, wish: string, origin: Origin, signal: AbortSignal): Promise<void> {
    return this.change('told', processId, buildTell(processId, wish, origin, this.paths), origin, signal)
  }

  forget(processId: string, origin: Origin, signal: AbortSignal): Promise<void> {
    return this.change('forgotten', processId, buildForget(processId, origin, this.paths), origin, signal)
  }

  /** Begins to follow over a connection that has a session to spare. */
  private begin(run: GuestRun, offset: number, origin: Origin, signal: AbortSignal) {
    return this.links.repeating(signal, isFinal, async () => {
      const { link, end } = await this.links.forLong(signal)
      try {
        const events = await followRun(link.shells, run, offset, origin, this.paths, signal)
        return { events: events as AsyncIterable<RunEvent>, end }
      } catch (thrown) {
        end()
        throw thrown
      }
    })
  }

  private change(
    what: string,
    processId: string,
    program: string,
    origin: Origin,
    signal: AbortSignal,
  ): Promise<void> {
    return this.links.retrying(signal, async ({ shells }) => {
      const options = { purpose: `that a process is ${what}`, mostBytes: 0, signal }
      const { exitCode, stderr } = await runProgram(shells, program, options)
      if (exitCode === 0) return
      if (exitCode === staleExitCode) throw new StaleInGuest(parseStaleNumbers(stderr), origin)
      if (exitCode === runningExitCode) {
        throw new GuestMisbehaved(
          `the process ${processId} cannot be forgotten: its run ${shown(stderr.trim())} has not ended`,
        )
      }
      throw new Error(
        `the process ${processId} could not be ${what} (exit ${exitCode}): ${shown(stderr.trim())}`,
      )
    })
  }
}
