import { CommandError, exitCodes } from '../exit-codes.ts'
import { run } from '../process/run.ts'
import { configurationFile } from '../ssh/access.ts'
import { sshAlias } from '../ssh/configuration.ts'
import { shellQuote } from '../ssh/quote.ts'

/** Runs a command in a claimed environment as its claimant, with the system's ssh, and returns its output. */
export async function firstCommand(
  stateFolder: string,
  claimId: string,
  repository: string | undefined,
  options: { variables: Readonly<Record<string, string | undefined>>; signal: AbortSignal },
): Promise<string> {
  const inRepository =
    repository === undefined
      ? ''
      : ` && cd ${shellQuote(`/home/${repository}`)} && git log -1 --format='%h %s'`
  const done = await run(
    'ssh',
    [
      '-F',
      configurationFile(stateFolder, claimId),
      '-o',
      'BatchMode=yes',
      sshAlias,
      `hostname${inRepository}`,
    ],
    { environment: options.variables, signal: options.signal, timeoutMilliseconds: 60_000 },
  )
  if (done.exitCode === 0) return done.stdout.trim()
  throw new CommandError(
    `the command in the claimed machine failed: ${done.stderr.trim()}`,
    exitCodes.failure,
  )
}
