import { Command } from 'commander'
import type { Invocation } from '../invocation.ts'
import { kindNamed } from '../kinds/kinds.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { examples, viewOf } from './options.ts'

export function describeCommand(invocation: Invocation): Command {
  return new Command('describe')
    .summary('everything about one resource, with its steps and why it failed')
    .argument('<kind>', 'see `hearth help kinds`')
    .argument('<name-or-id>')
    .addOption(outputOption())
    .addHelpText('after', examples('hearth describe environment shop-1', 'hearth describe pool shop'))
    .action(async (kindName: string, reference: string, { output }: { output: Format }) => {
      const { resource, text } = await kindNamed(kindName).one(viewOf(invocation), reference)
      show(invocation.terminal, output, resource, text)
    })
}
