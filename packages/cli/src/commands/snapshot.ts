import type { Snapshot } from '@hearth/contract'
import { Command } from 'commander'
import { followCopy } from '../following/follow-copy.ts'
import { followSnapshot } from '../following/follow-snapshot.ts'
import type { Invocation } from '../invocation.ts'
import { findMachine } from '../kinds/find-machine.ts'
import type { View } from '../kinds/kind.ts'
import { snapshotKind } from '../kinds/snapshot.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { type DeletionOptions, deleteOne, withDeletionOptions } from './deletion.ts'
import { addLabel, examples, machineArgument, viewOf } from './options.ts'

export function snapshotCommand(invocation: Invocation): Command {
  return new Command('snapshot')
    .summary('make, list, copy and remove snapshots: the disk of an environment, and perhaps its memory')
    .addCommand(createCommand(invocation))
    .addCommand(listCommand(invocation))
    .addCommand(showCommand(invocation))
    .addCommand(copyCommand(invocation))
    .addCommand(deleteCommand(invocation))
}

interface CreateOptions {
  memory?: boolean
  name?: string
  label?: Record<string, string>
  wait: boolean
  output: Format
}

function createCommand(invocation: Invocation): Command {
  return new Command('create')
    .summary('make a snapshot of an environment, which runs on')
    .argument('<claim-or-environment>', machineArgument)
    .option('--memory', 'its memory too: what starts from it goes on where this environment was')
    .option('--name <name>', 'by default one is made up')
    .option('-l, --label <key=value>', 'repeat for several', addLabel)
    .option('--no-wait', 'end as soon as it is asked for')
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples('hearth snapshot create claim-0b8a11 --memory', 'hearth snapshot create shop-1 --name seeded'),
    )
    .action(async (reference: string, options: CreateOptions) => {
      const view = viewOf(invocation)
      const { kind, resource } = await findMachine(view, reference)
      const { id } = resource.metadata
      const made = await view.client.snapshots.create(
        {
          name: options.name,
          labels: options.label ?? {},
          spec: {
            memory: options.memory === true,
            ...(kind === 'claim' ? { claim: id } : { environment: id }),
          },
        },
        { signal: view.signal },
      )
      const ended = options.wait ? await followSnapshot(view.client, made, invocation) : made
      await showSnapshot(view, ended, options.output)
    })
}

/** Shows a snapshot as `hearth snapshot show` does. */
export async function showSnapshot(view: View, { metadata }: Snapshot, format: Format): Promise<void> {
  const { resource, text } = await snapshotKind.one(view, metadata.id)
  show(view.terminal, format, resource, text)
}

function listCommand(invocation: Invocation): Command {
  return new Command('list')
    .summary('list snapshots')
    .option('--project <project>', 'only of this project')
    .addOption(outputOption())
    .addHelpText('after', examples('hearth snapshot list', 'hearth snapshot list --project shop'))
    .action(async ({ project, output }: { project?: string; output: Format }) => {
      const { resources, table } = await snapshotKind.list(viewOf(invocation), { project })
      show(invocation.terminal, output, resources, table)
    })
}

function showCommand(invocation: Invocation): Command {
  return new Command('show')
    .summary('show a snapshot with what it has and where')
    .argument('<snapshot>', 'name or id')
    .addOption(outputOption())
    .addHelpText('after', examples('hearth snapshot show seeded'))
    .action(async (reference: string, { output }: { output: Format }) => {
      const { resource, text } = await snapshotKind.one(viewOf(invocation), reference)
      show(invocation.terminal, output, resource, text)
    })
}

interface CopyOptions {
  to: string
  wait: boolean
  output: Format
}

function copyCommand(invocation: Invocation): Command {
  return new Command('copy')
    .summary('have another runner hold a snapshot too: its disk is copied there, its memory stays')
    .argument('<snapshot>', 'name or id')
    .requiredOption('--to <runner>', 'name or id of the runner')
    .option('--no-wait', 'end as soon as it is asked for')
    .addOption(outputOption())
    .addHelpText('after', examples('hearth snapshot copy seeded --to rack-2'))
    .action(async (reference: string, { to, wait, output }: CopyOptions) => {
      const view = viewOf(invocation)
      const { client, signal } = view
      const { metadata } = await client.snapshots.get(reference, { signal })
      const { metadata: runner } = await client.runners.get(to, { signal })
      const asked = await client.snapshots.copy(metadata.id, { runner: runner.id }, { signal })
      const ended = wait ? await followCopy(client, asked, runner, invocation) : asked
      await showSnapshot(view, ended, output)
    })
}

function deleteCommand(invocation: Invocation): Command {
  const command = new Command('delete')
    .summary('delete a snapshot; one that something uses only with --force')
    .argument('<snapshot>', 'name or id')
    .addHelpText('after', examples('hearth snapshot delete seeded', 'hearth snapshot delete seeded --force'))
    .action(async (reference: string, options: DeletionOptions) => {
      await deleteOne(snapshotKind, viewOf(invocation), reference, options)
    })
  return withDeletionOptions(
    command,
    'also one that something uses, unless an environment that uses it is on',
  )
}
