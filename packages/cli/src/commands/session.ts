import { addressesOf } from '@hearth/client'
import { Command } from 'commander'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { findContext, type Invocation } from '../invocation.ts'
import { sessionKind } from '../kinds/session.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { kubeconfig } from '../output/kubeconfig.ts'
import { examples, viewOf } from './options.ts'

export function sessionCommand(invocation: Invocation): Command {
  return new Command('session')
    .summary('what runs of `hearth up` and of CI are doing')
    .addCommand(listCommand(invocation))
    .addCommand(showCommand(invocation))
    .addCommand(endCommand(invocation))
    .addCommand(kubeconfigCommand(invocation))
}

function listCommand(invocation: Invocation): Command {
  return new Command('list')
    .summary('list sessions: open ones, and those that ended in the last days')
    .option('--project <project>', 'only of this project')
    .addOption(outputOption())
    .addHelpText('after', examples('hearth session list', 'hearth session list --project shop'))
    .action(async ({ project, output }: { project?: string; output: Format }) => {
      const { resources, table } = await sessionKind.list(viewOf(invocation), { project })
      show(invocation.terminal, output, resources, table)
    })
}

function showCommand(invocation: Invocation): Command {
  return new Command('show')
    .summary('show a session with its targets')
    .argument('<session>', 'name or id')
    .addOption(outputOption())
    .addHelpText('after', examples('hearth session show shop-4f1a2b'))
    .action(async (reference: string, { output }: { output: Format }) => {
      const { resource, text } = await sessionKind.one(viewOf(invocation), reference)
      show(invocation.terminal, output, resource, text)
    })
}

function endCommand(invocation: Invocation): Command {
  return new Command('end')
    .summary('end a session; its machine and what runs there go on')
    .argument('<session>', 'name or id')
    .addHelpText('after', examples('hearth session end shop-4f1a2b'))
    .action(async (reference: string) => {
      const { client, terminal, signal } = viewOf(invocation)
      const { metadata } = await client.sessions.end(reference, { signal })
      terminal.out(`session ${metadata.name} has ended`)
    })
}

function kubeconfigCommand(invocation: Invocation): Command {
  return new Command('kubeconfig')
    .summary('print how kubectl and other clients of its interface read sessions; it holds your token')
    .option('--name <name>', 'of its cluster, user and context', 'hearth')
    .addHelpText(
      'after',
      examples(
        'hearth session kubeconfig > sessions.yaml && chmod 600 sessions.yaml',
        'kubectl --kubeconfig sessions.yaml get sessions --watch',
      ),
    )
    .action(async ({ name }: { name: string }) => {
      const { client, terminal, signal } = viewOf(invocation)
      const token = findContext(invocation)?.token
      if (token === undefined)
        throw new CommandError(
          'there is no token to print: give --token or HEARTH_TOKEN',
          exitCodes.unreachable,
        )
      const [url = client.url] = addressesOf(client.url)
      const access = await client.secureAccess({ signal })
      terminal.raw(kubeconfig({ url, token }, access, name))
    })
}
