import { Command } from 'commander'
import { type Invocation, stateFolder } from '../invocation.ts'
import { kindNamed } from '../kinds/kinds.ts'
import { forgetAccess } from '../ssh/access.ts'
import { badInput, examples, viewOf, wholeNumber } from './options.ts'
import { waitUntil } from './waiting.ts'

export function deleteCommand(invocation: Invocation): Command {
  return new Command('delete')
    .summary('delete one resource; a claim is released and its environment deleted')
    .argument('<kind>', 'see `hearth help kinds`')
    .argument('<name-or-id>')
    .option(
      '--force',
      'delete a project with its claimed environments, a runner with its environments, an environment without its runner',
    )
    .option('--wait', 'return when nothing is left of it')
    .option('--timeout <seconds>', 'how long --wait waits', wholeNumber(1, 86_400), 600)
    .addHelpText(
      'after',
      examples('hearth delete environment shop-1 --wait', 'hearth delete claim claim-0b8a11'),
    )
    .action(async (kindName: string, reference: string, options: DeleteOptions) => {
      const kind = kindNamed(kindName)
      if (kind.remove === undefined) throw badInput('KIND', kindName, 'a kind that can be deleted')
      const { terminal, signal } = invocation
      const removal = await kind.remove(viewOf(invocation), reference, { force: options.force === true })
      if (options.wait === true) {
        const { name, gone } = removal
        await waitUntil(`${name} to be gone`, () => gone(signal), { seconds: options.timeout, signal })
      }
      forgetAccess(stateFolder(invocation), removal.id)
      terminal.out(
        `${kind.names[0]} ${removal.name} ${options.wait === true ? 'deleted' : 'is being deleted'}`,
      )
    })
}

interface DeleteOptions {
  force?: boolean
  wait?: boolean
  timeout: number
}
