import { Command } from 'commander'
import { client, type Invocation } from '../invocation.ts'
import { examples } from './options.ts'

export function retryCommand(invocation: Invocation): Command {
  return new Command('retry')
    .summary('try a failed environment once more')
    .argument('<environment>', 'name or id')
    .addHelpText('after', examples('hearth retry shop-1'))
    .action(async (reference: string) => {
      const { terminal, signal } = invocation
      const { environments } = client(invocation)
      const { metadata, status } = await environments.retry(reference, { signal })
      terminal.out(`environment ${metadata.name} is ${status.phase}`)
    })
}
