import { Command } from 'commander'
import { CommandError } from '../exit-codes.ts'
import { type Invocation, stateFolder } from '../invocation.ts'
import { keepOpen } from '../ssh/keep-open.ts'
import { openAwake } from '../ssh/open-awake.ts'
import { remoteCommand } from '../ssh/quote.ts'
import { runSsh } from '../ssh/run-ssh.ts'
import { examples } from './options.ts'

export function execCommand(invocation: Invocation): Command {
  return new Command('exec')
    .summary('run one command on a machine; its exit status is the command’s')
    .argument('<claim-or-environment>', 'name or id')
    .argument(
      '<command...>',
      'after --: one word is a line of shell, several are a program and its arguments',
    )
    .option('-t, --tty', 'give the command a terminal')
    .option('--renew', 'ask for a new certificate and address, also when the kept one is good')
    .addHelpText(
      'after',
      examples('hearth exec shop-1 -- uname -a', "hearth exec shop-1 -- 'cd /home/shop && make test'"),
    )
    .action(async (reference: string, words: string[], options: { tty?: boolean; renew?: boolean }) => {
      const access = await openAwake(invocation, reference, { renew: options.renew === true })
      const sshWords = [options.tty === true ? '-t' : '-T', '--', remoteCommand(words)]
      const command = () => runSsh(invocation, stateFolder(invocation), access.id, sshWords)
      const status = await keepOpen(invocation, access, command)
      if (status !== 0) throw new CommandError('', status)
    })
}
