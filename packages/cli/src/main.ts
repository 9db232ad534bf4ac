import { systemClock } from '@hearth/foundation'
import { CommanderError } from 'commander'
import { readConfig } from './config.ts'
import { CommandError, exitCodeOf, exitCodes } from './exit-codes.ts'
import { errorText } from './output/error-text.ts'
import { terminalOf } from './output/terminal.ts'
import { listenForSignals } from './process/signals.ts'
import { createProgram } from './program.ts'

const config = readConfig()
const terminal = terminalOf({ out: process.stdout, note: process.stderr }, config.noColour)
const { signal, exitCodeOfSignal } = listenForSignals()

// The reader of a pipe has closed it, as in `hearth watch | head`: nobody reads the output.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

process.exit(await exitCode())

async function exitCode(): Promise<number> {
  try {
    await createProgram({ config, terminal, clock: systemClock, signal }).parseAsync()
    return exitCodes.success
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.success : exitCodes.badInput
    const interrupted = exitCodeOfSignal()
    if (interrupted !== null && isAbort(error)) return interrupted
    tell(error)
    return exitCodeOf(error)
  }
}

function tell(error: unknown): void {
  const text = errorText(error)
  if (text === '') return
  const isVerbatim = error instanceof CommandError && error.isVerbatim
  terminal.note(isVerbatim ? text : `${terminal.tone('bad', 'error:')} ${text}`)
}

function isAbort(error: unknown): boolean {
  return (
    signal.aborted && (error === signal.reason || (error instanceof Error && error.name === 'AbortError'))
  )
}
