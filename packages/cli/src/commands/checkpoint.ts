import { Command } from 'commander'
import { followSnapshot } from '../following/follow-snapshot.ts'
import type { Invocation } from '../invocation.ts'
import { findMachine } from '../kinds/find-machine.ts'
import { type Format, outputOption } from '../output/format.ts'
import { addLabel, examples, machineArgument, viewOf } from './options.ts'
import { showSnapshot } from './snapshot.ts'

export function checkpointCommand(invocation: Invocation): Command {
  return new Command('checkpoint')
    .summary('make a point to which an environment can be put back; it runs on')
    .argument('<claim-or-environment>', machineArgument)
    .option('--name <name>', 'by default one is made up')
    .option('--no-memory', 'its disk alone: put back to it, the environment boots')
    .option('-l, --label <key=value>', 'repeat for several', addLabel)
    .option('--no-wait', 'end as soon as it is asked for')
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples('hearth checkpoint claim-0b8a11', 'hearth checkpoint claim-0b8a11 --name before-upgrade'),
    )
    .action(async (reference: string, options: CheckpointOptions) => {
      const view = viewOf(invocation)
      const { kind, resource } = await findMachine(view, reference)
      const group = kind === 'claim' ? view.client.claims : view.client.environments
      const { name, memory, label: labels = {} } = options
      const made = await group.checkpoint(
        resource.metadata.id,
        { name, memory, labels },
        { signal: view.signal },
      )
      const ended = options.wait ? await followSnapshot(view.client, made, invocation) : made
      await showSnapshot(view, ended, options.output)
    })
}

interface CheckpointOptions {
  name?: string
  memory: boolean
  label?: Record<string, string>
  wait: boolean
  output: Format
}
