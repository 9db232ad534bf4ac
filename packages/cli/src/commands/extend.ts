import { Command } from 'commander'
import type { Invocation } from '../invocation.ts'
import { findMachine } from '../kinds/find-machine.ts'
import { fields } from '../output/describe.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { lifeFields } from '../output/life-text.ts'
import { span } from './life-options.ts'
import { examples, machineArgument, viewOf } from './options.ts'

export function extendCommand(invocation: Invocation): Command {
  return new Command('extend')
    .summary('put the end of a machine off')
    .argument('<claim-or-environment>', machineArgument)
    .option('--by <span>', 'by how much, as 2h or 30m', span, 3_600)
    .addOption(outputOption())
    .addHelpText('after', examples('hearth extend claim-0b8a11', 'hearth extend claim-0b8a11 --by 2h'))
    .action(async (reference: string, { by, output }: { by: number; output: Format }) => {
      const view = viewOf(invocation)
      const { client, signal, now } = view
      const { kind, resource } = await findMachine(view, reference)
      const group = kind === 'claim' ? client.claims : client.environments
      const extended = await group.extend(resource.metadata.id, { seconds: by }, { signal })
      const { metadata, status } = extended
      show(invocation.terminal, output, extended, () =>
        fields([['Machine', metadata.name], ...lifeFields(status.life, now)]),
      )
    })
}
