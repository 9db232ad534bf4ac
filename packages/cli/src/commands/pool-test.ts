import type { Environment, WarmPool } from '@hearth/contract'
import { Command } from 'commander'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { followBoot } from '../following/follow-boot.ts'
import { client, type Invocation, stateFolder } from '../invocation.ts'
import { findPool } from '../kinds/find-pool.ts'
import { failureText } from '../output/describe.ts'
import { withLastLines } from '../output/environment-failure.ts'
import { between } from '../output/environment-lines.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { keepOpen } from '../ssh/keep-open.ts'
import { openAccess } from '../ssh/open-access.ts'
import { runSsh } from '../ssh/run-ssh.ts'
import { examples, poolArgument, viewOf, wholeNumber } from './options.ts'

interface TestOptions {
  watch?: boolean
  shellOnFailure?: boolean
  keep: number
  output: Format
}

export function testCommand(invocation: Invocation): Command {
  return new Command('test')
    .summary('try the steps of a pool, as it is set now, in an environment outside of it')
    .argument('<pool>', poolArgument)
    .option('-w, --watch', 'show the steps live; the exit status says whether they succeeded')
    .option('--shell-on-failure', 'watch, and open a shell in the environment when a step fails')
    .option(
      '--keep <minutes>',
      'how long the environment stays when its steps have ended; longer while you are in it',
      wholeNumber(1, 10_080),
      30,
    )
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples(
        'hearth pool test shop --watch',
        'hearth pool test shop --shell-on-failure',
        'hearth pool test shop -o json | jq -r .environment.metadata.id',
      ),
    )
    .action(async (reference: string, options: TestOptions) => {
      const view = viewOf(invocation)
      const pool = await findPool(view, reference)
      const tests = client(invocation).warmPools.tests(pool.metadata.id)
      const started = await tests.create({ keepSeconds: options.keep * 60 }, { signal: view.signal })
      const watches = options.watch === true || options.shellOnFailure === true
      if (!watches) {
        show(invocation.terminal, options.output, started, () => startedText(started.environment))
        return
      }
      const { name } = started.environment.metadata
      const title = `test ${name} of pool ${pool.metadata.name}`
      const environment = await followBoot(view.client, started.environment, title, invocation)
      const ended = {
        ...started,
        state: environment.status.phase === 'running' ? 'ready' : 'failed',
        environment,
      }
      if (options.output !== 'table') show(invocation.terminal, options.output, ended, () => '')
      if (environment.status.phase === 'running') {
        if (options.output === 'table') invocation.terminal.out(successText(environment, pool))
        return
      }
      await reportFailure(invocation, environment, options.shellOnFailure === true)
    })
}

function startedText({ metadata }: Environment): string {
  return [
    `test ${metadata.name} (${metadata.id}) has begun`,
    `hearth logs -f ${metadata.name}              what its steps print`,
    `hearth describe environment ${metadata.name}  its steps and why it failed`,
  ].join('\n')
}

function successText({ metadata, status }: Environment, pool: WarmPool): string {
  const took = status.readyAt === null ? '' : ` after ${between(metadata.createdAt, status.readyAt)}`
  return `the steps of pool ${pool.metadata.name} succeed: ${metadata.name} was ready${took}; hearth ssh ${metadata.name}`
}

/**
 * Prints why it failed, opens a shell if asked for and if the guest has an address, and exits with the status of a
 * failure.
 */
async function reportFailure(
  invocation: Invocation,
  environment: Environment,
  shell: boolean,
): Promise<never> {
  const { terminal } = invocation
  const { metadata, status } = environment
  const failure = status.failure ?? { code: 'internal' as const, message: `it is ${status.phase}` }
  const text = failureText(terminal, withLastLines(failure, environment))
  if (!shell || status.address === null) {
    const way = status.address === null ? [] : [`look into it: hearth ssh ${metadata.name}`]
    throw new CommandError([text, ...way].join('\n'), exitCodes.failure)
  }
  terminal.note(text)
  terminal.note(`a shell on ${metadata.name}; it stays while you are in it`)
  const access = await openAccess(invocation, metadata.id, { renew: true })
  await keepOpen(invocation, access, () => runSsh(invocation, stateFolder(invocation), access.id, []))
  throw new CommandError(`test ${metadata.name} failed: ${failure.message}`, exitCodes.failure)
}
