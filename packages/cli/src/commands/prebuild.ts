import { HearthError } from '@hearth/foundation'
import { Command } from 'commander'
import { followPrebuilds } from '../following/follow-prebuilds.ts'
import type { Invocation } from '../invocation.ts'
import { prebuildKind } from '../kinds/prebuild.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { type DeletionOptions, deleteOne, withDeletionOptions } from './deletion.ts'
import { addLabel, examples, viewOf, wholeNumber } from './options.ts'

export function prebuildCommand(invocation: Invocation): Command {
  return new Command('prebuild')
    .summary('make, follow and remove prebuilds: disks on which the set-up is done already')
    .addCommand(runCommand(invocation))
    .addCommand(listCommand(invocation))
    .addCommand(showCommand(invocation))
    .addCommand(logsCommand(invocation))
    .addCommand(cancelCommand(invocation))
    .addCommand(deleteCommand(invocation))
}

interface RunOptions {
  class?: string
  branch?: string
  timeout?: number
  fresh?: boolean
  label?: Record<string, string>
  wait: boolean
  output: Format
}

function runCommand(invocation: Invocation): Command {
  return new Command('run')
    .summary('make a prebuild, and follow it to its end')
    .argument('<project>', 'name or id')
    .option('--class <class>', 'the environment class; by default the first that the project makes them for')
    .option('--branch <branch>', 'of every repository, instead of those that the project names')
    .option('--timeout <minutes>', 'how long it may take', wholeNumber(5, 120))
    .option('--fresh', 'from the image, and not from the last good prebuild')
    .option('-l, --label <key=value>', 'repeat for several', addLabel)
    .option('--no-wait', 'end as soon as it is made')
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples('hearth prebuild run shop', 'hearth prebuild run shop --class large --no-wait'),
    )
    .action(async (project: string, options: RunOptions) => {
      const view = viewOf(invocation)
      const made = await view.client.prebuilds.create(
        {
          labels: options.label ?? {},
          spec: {
            projectId: project,
            environmentClassId: options.class,
            branch: options.branch ?? null,
            ...(options.timeout === undefined ? {} : { timeoutSeconds: options.timeout * 60 }),
            ...(options.fresh === true ? { incremental: false } : {}),
          },
        },
        { signal: view.signal },
      )
      const { clock } = invocation
      const [ended = made] = options.wait
        ? await followPrebuilds(view.client, [made], { terminal: view.terminal, clock, signal: view.signal })
        : [made]
      show(
        view.terminal,
        options.output,
        ended,
        () => `prebuild ${ended.metadata.name} is ${ended.status.phase}`,
      )
      const { failure, phase } = ended.status
      if (phase === 'failed' || phase === 'cancelled')
        throw new HearthError(
          'conflict',
          `prebuild ${ended.metadata.name} is ${phase}: ${failure?.message ?? 'somebody cancelled it'}`,
        )
    })
}

function listCommand(invocation: Invocation): Command {
  return new Command('list')
    .summary('list prebuilds')
    .option('--project <project>', 'only of this project')
    .addOption(outputOption())
    .addHelpText('after', examples('hearth prebuild list', 'hearth prebuild list --project shop'))
    .action(async ({ project, output }: { project?: string; output: Format }) => {
      const { resources, table } = await prebuildKind.list(viewOf(invocation), { project })
      show(invocation.terminal, output, resources, table)
    })
}

function showCommand(invocation: Invocation): Command {
  return new Command('show')
    .summary('show a prebuild with its steps')
    .argument('<prebuild>', 'name or id')
    .addOption(outputOption())
    .addHelpText('after', examples('hearth prebuild show shop-small-4f1a2b'))
    .action(async (reference: string, { output }: { output: Format }) => {
      const { resource, text } = await prebuildKind.one(viewOf(invocation), reference)
      show(invocation.terminal, output, resource, text)
    })
}

function logsCommand(invocation: Invocation): Command {
  return new Command('logs')
    .summary('what the steps of a prebuild printed, also when its environment is gone')
    .argument('<prebuild>', 'name or id')
    .option('-f, --follow', 'go on until it has ended')
    .option(
      '--raw',
      'as the guest printed it, with what your terminal obeys: colours, but also titles and more',
    )
    .addHelpText('after', examples('hearth prebuild logs -f shop-small-4f1a2b'))
    .action(async (reference: string, options: { follow?: boolean; raw?: boolean }) => {
      const { client, terminal, signal } = viewOf(invocation)
      const { metadata } = await client.prebuilds.get(reference, { signal })
      const write = options.raw === true ? terminal.verbatim : terminal.raw
      const follow = options.follow === true
      for await (const text of client.prebuilds.log(metadata.id, { follow, signal })) write(text)
    })
}

function cancelCommand(invocation: Invocation): Command {
  return new Command('cancel')
    .summary('stop the work on a prebuild, and remove what it has made')
    .argument('<prebuild>', 'name or id')
    .addHelpText('after', examples('hearth prebuild cancel shop-small-4f1a2b'))
    .action(async (reference: string) => {
      const { client, terminal, signal } = viewOf(invocation)
      const { metadata } = await client.prebuilds.cancel(reference, { signal })
      terminal.out(`prebuild ${metadata.name} is being cancelled`)
    })
}

function deleteCommand(invocation: Invocation): Command {
  const command = new Command('delete')
    .summary('delete a prebuild with its snapshot; environments that started from it go on')
    .argument('<prebuild>', 'name or id')
    .addHelpText('after', examples('hearth prebuild delete shop-small-4f1a2b'))
    .action(async (reference: string, options: DeletionOptions) => {
      await deleteOne(prebuildKind, viewOf(invocation), reference, options)
    })
  return withDeletionOptions(
    command,
    'without waiting for its runners, which remove what they have when they can',
  )
}
