import { Command } from 'commander'
import { client, type Invocation } from '../invocation.ts'
import { findMachine } from '../kinds/find-machine.ts'
import { examples } from './options.ts'

export function retryCommand(invocation: Invocation): Command {
  return new Command('retry')
    .summary('try a failed environment once more, or bind a failed claim once more')
    .argument('<claim-or-environment>', 'name or id')
    .addHelpText('after', examples('hearth retry shop-1', 'hearth retry claim-0b8a11'))
    .action(async (reference: string) => {
      const { terminal, signal } = invocation
      const hearth = client(invocation)
      const { kind, resource } = await findMachine({ client: hearth, signal }, reference)
      const group = kind === 'claim' ? hearth.claims : hearth.environments
      const { metadata, status } = await group.retry(resource.metadata.id, { signal })
      terminal.out(`${kind} ${metadata.name} is ${status.phase}`)
    })
}
