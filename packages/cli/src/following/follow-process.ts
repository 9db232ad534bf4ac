import type { ProcessRun } from '@hearth/contract'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { callsOf } from '../kinds/find-process.ts'
import type { View } from '../kinds/kind.ts'
import type { Process } from '../kinds/process-parts.ts'

export const isAtRest = ({ status }: Process): boolean =>
  ['idle', 'stopped', 'succeeded', 'failed'].includes(status.phase)

export interface FollowedLog {
  run?: number | undefined
  since?: string | undefined
  follow: boolean
  write(text: string): void
}

/** Prints what a process prints, piece by piece, until it is at rest or the run that was asked for has ended. */
export async function followLog(
  { client, signal }: Pick<View, 'client' | 'signal'>,
  process: Process,
  { write, ...options }: FollowedLog,
): Promise<void> {
  for await (const { text } of callsOf(client, process).logs(process.metadata.id, { ...options, signal }))
    write(text)
}

const signalNumbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGTERM: 15,
}

/** The exit status that a shell would have for it. */
export function exitStatusOf({ exitCode, signal, cause }: ProcessRun): number {
  // As `timeout` has it.
  if (cause === 'deadline') return 124
  if (exitCode !== null) return exitCode
  return signal === null ? exitCodes.failure : 128 + (signalNumbers[signal] ?? 0)
}

/** Ends the command as the last run of a task ended. */
export function endAs(process: Process): void {
  const { run, failure, phase } = process.status
  if (phase === 'succeeded') return
  const status = run === null || run.cause === null ? exitCodes.failure : exitStatusOf(run)
  const isPlain = run?.cause === 'exit' || run?.cause === 'signal'
  const message = isPlain ? '' : (failure?.message ?? `the ${process.kind.toLowerCase()} is ${phase}`)
  throw new CommandError(message, status === 0 ? exitCodes.failure : status)
}
