import { Command } from 'commander'
import { type Invocation, stateFolder } from '../invocation.ts'
import { kindNamed } from '../kinds/kinds.ts'
import { forgetAccess } from '../ssh/access.ts'
import { type DeletionOptions, deleteOne, withDeletionOptions } from './deletion.ts'
import { examples, viewOf } from './options.ts'

export function deleteCommand(invocation: Invocation): Command {
  const command = new Command('delete')
    .summary('delete one resource; a claim is released and its environment deleted')
    .argument('<kind>', 'see `hearth help kinds`')
    .argument('<name-or-id>')
    .addHelpText(
      'after',
      examples('hearth delete environment shop-1 --wait', 'hearth delete claim claim-0b8a11'),
    )
    .action(async (kindName: string, reference: string, options: DeletionOptions) => {
      const { id } = await deleteOne(kindNamed(kindName), viewOf(invocation), reference, options)
      forgetAccess(stateFolder(invocation), id)
    })
  return withDeletionOptions(
    command,
    'delete a project with its claimed environments, a runner with its environments, an environment without its runner',
  )
}
