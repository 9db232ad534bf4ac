import { Command } from 'commander'
import type { Invocation } from '../invocation.ts'
import { kindNamed } from '../kinds/kinds.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { badInput, examples, viewOf } from './options.ts'

export function getCommand(invocation: Invocation): Command {
  return new Command('get')
    .summary('list resources of a kind, or show one')
    .argument('<kind>', 'see `hearth help kinds`')
    .argument('[name-or-id]')
    .option('--project <name-or-id>', 'only of this project (environments, warm pools)')
    .option('--pool <name-or-id>', 'only of this warm pool (environments)')
    .option('--runner <name-or-id>', 'only on this runner (environments)')
    .option('--phase <phase>', 'only in this phase (environments, jobs)')
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples(
        'hearth get environments',
        'hearth get env --project shop --phase running',
        'hearth get pool shop -o json',
      ),
    )
    .action(async (kindName: string, reference: string | undefined, options: GetOptions) => {
      const kind = kindNamed(kindName)
      const view = viewOf(invocation)
      const { output, ...filter } = options
      if (reference === undefined) {
        const fetched = await kind.list(view, filter)
        show(invocation.terminal, output, fetched.resources, () => fetched.table())
        return
      }
      const [field] = Object.keys(filter)
      if (field !== undefined) throw badInput(`--${field}`, 'a name as well', 'given with a list only')
      const { resource, table } = await kind.one(view, reference)
      show(invocation.terminal, output, resource, table)
    })
}

interface GetOptions {
  output: Format
  project?: string
  pool?: string
  runner?: string
  phase?: string
}
