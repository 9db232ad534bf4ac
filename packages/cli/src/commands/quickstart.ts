import { toError } from '@hearth/foundation'
import { Command } from 'commander'
import { deleteEnvironments } from '../dev/delete-environments.ts'
import { type LocalStack, startLocalStack } from '../dev/local-stack.ts'
import { requireLibvirt } from '../dev/require-libvirt.ts'
import { UndoList } from '../dev/undo-list.ts'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { ensureBaseImage } from '../images/base-image.ts'
import { type Invocation, stateFolder } from '../invocation.ts'
import { untilAborted } from '../process/until-aborted.ts'
import { chooseClass } from '../quickstart/class.ts'
import { gitServerAddress } from '../quickstart/git-server-address.ts'
import { nextCommands } from '../quickstart/next-commands.ts'
import { type QuickstartWish, serveProject, showWarmClaim } from '../quickstart/run-quickstart.ts'
import { shellQuote } from '../ssh/quote.ts'
import { examples, wholeNumber } from './options.ts'

export function quickstartCommand(invocation: Invocation): Command {
  return new Command('quickstart')
    .summary('from nothing to a claimed machine, with all that is needed on this machine')
    .description(
      'Starts everything, builds the base image once, keeps two machines of the example (or of your repository) ready, claims one, runs a command in it and shows what each part took. Ends, and deletes its machines, on Ctrl-C.',
    )
    .option('--exit', 'end after the table instead of staying up')
    .option('--repo <url-or-path>', 'your own repository instead of the example')
    .option('--setup <command>', 'with --repo: run in the clone, for example "npm ci"')
    .option('--class <name>', 'class of the machines; by default small, or tiny where memory is short')
    .option('--synthetic', 'pretended machines, where virtualisation is impossible')
    .option('--port <port>', 'where the control plane listens, on 127.0.0.1', wholeNumber(1, 65_535), 7_070)
    .addHelpText(
      'after',
      examples(
        'hearth quickstart',
        'hearth quickstart --exit',
        'hearth quickstart --repo . --setup "make test"',
      ),
    )
    .action((options: QuickstartOptions) => quickstart(invocation, options))
}

async function quickstart(invocation: Invocation, options: QuickstartOptions): Promise<void> {
  const { terminal, signal } = invocation
  const folder = stateFolder(invocation)
  const synthetic = options.synthetic === true
  const note = (text: string) => terminal.note(text)
  const wish: QuickstartWish = {
    stateFolder: folder,
    repository: options.repo,
    setup: options.setup,
    environmentClass: chooseClass(options.class),
    synthetic,
  }
  const undo = new UndoList()
  const failures: string[] = []
  try {
    const address = await gitServerAddress(invocation.config)
    const stack = await startEverything(invocation, options, {
      folder,
      openedPorts: address.opened ?? undefined,
    })
    undo.add('stopping', () => stack.stop())
    undo.add('deleting the machines', () =>
      deleteEnvironments(stack.client, { stateFolder: folder, seconds: 120, note }),
    )
    const { declaration, gitServer } = await serveProject(wish, address, invocation)
    if (gitServer !== null) undo.add('git daemon', () => gitServer.stop())
    const { claim } = await showWarmClaim(wish, declaration, stack, invocation)
    if (options.exit !== true) {
      const isDefault = folder === invocation.config.defaultState
      const hearth = isDefault ? './hearth' : `./hearth --state ${shellQuote(folder)}`
      const { url } = stack.client
      terminal.out(`\n${nextCommands({ hearth, claim, project: declaration.name, url, synthetic })}`)
      await untilAborted(signal)
    }
  } finally {
    await undo.run((name, error) => failures.push(`${name}: ${toError(error).message}`))
    for (const failure of failures) note(failure)
  }
  if (failures.length > 0) throw new CommandError('it could not end cleanly', exitCodes.failure)
  note('stopped; the base image and the database stay in the state folder')
}

async function startEverything(
  invocation: Invocation,
  options: QuickstartOptions,
  { folder, openedPorts }: { folder: string; openedPorts: string | undefined },
): Promise<LocalStack> {
  const { terminal, signal, config } = invocation
  const synthetic = options.synthetic === true
  if (!synthetic) await requireLibvirt(invocation)
  return await startLocalStack({
    stateFolder: folder,
    port: options.port,
    runners: 1,
    synthetic,
    isRoot: config.isRoot,
    variables: config.variables,
    signal,
    openedPorts,
    note: (text) => terminal.note(text),
    // The agent tests KVM with the image's kernel, so the image is built first.
    beforeAgents: synthetic ? undefined : () => ensureBaseImage(folder, invocation),
  })
}

interface QuickstartOptions {
  exit?: boolean
  repo?: string
  setup?: string
  class?: string
  synthetic?: boolean
  port: number
}
