import { Command } from 'commander'
import { CommandError } from '../exit-codes.ts'
import { type Invocation, stateFolder } from '../invocation.ts'
import { keepOpen } from '../ssh/keep-open.ts'
import { openAwake } from '../ssh/open-awake.ts'
import { runSsh } from '../ssh/run-ssh.ts'
import { examples } from './options.ts'

export function sshCommand(invocation: Invocation): Command {
  return new Command('ssh')
    .summary('a shell on a claimed machine, over the system’s ssh')
    .argument('<claim-or-environment>', 'name or id')
    .argument('[ssh-arguments...]', 'after --: options and a command, as ssh takes them')
    .option('--renew', 'ask for a new certificate and address, also when the kept one is good')
    .addHelpText('after', examples('hearth ssh claim-0b8a11', 'hearth ssh shop-1 -- -L 8080:localhost:80'))
    .action(async (reference: string, words: string[], { renew }: { renew?: boolean }) => {
      const access = await openAwake(invocation, reference, { renew: renew === true })
      const shell = () => runSsh(invocation, stateFolder(invocation), access.id, words)
      const status = await keepOpen(invocation, access, shell)
      if (status !== 0) throw new CommandError('', status)
    })
}
