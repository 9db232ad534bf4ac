import type { UserSecret } from '@hearth/contract'
import { Command } from 'commander'
import { readInputValue } from '../input-value.ts'
import { client, type Invocation } from '../invocation.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { badInput, examples, wholeNumber } from './options.ts'

export function secretCommand(invocation: Invocation): Command {
  return new Command('secret')
    .summary('secrets of your own, which the machines you claim are given')
    .addCommand(setCommand(invocation))
    .addCommand(listCommand(invocation))
    .addCommand(deleteCommand(invocation))
}

interface SetOptions {
  git?: boolean
  days?: number
  output: Format
}

function setCommand(invocation: Invocation): Command {
  return new Command('set')
    .summary('keep a secret, or give one that you have another value')
    .argument('<name>', 'a variable; with --git a host, as in git.example.com')
    .option('--git', 'a password, or token, for git over HTTPS')
    .option('--days <days>', 'when it ends; by default never', wholeNumber(1, 36_500))
    .addOption(outputOption())
    .addHelpText(
      'after',
      `\nThe value is the environment variable of that name, else standard input; it is never on the command line.\n${examples(
        'hearth secret set NPM_TOKEN < token.txt',
        'pass show git | hearth secret set git.example.com --git --days 90',
      )}`,
    )
    .action(async (name: string, { git = false, days, output }: SetOptions) => {
      const { config, signal, clock, terminal } = invocation
      if (config.variables[name] === undefined && process.stdin.isTTY)
        throw badInput('<name>', name, 'an environment variable of yours, or a value on standard input')
      const value = config.variables[name] ?? (await readInputValue())
      const end =
        days === undefined ? null : new Date(clock.now().getTime() + days * 86_400_000).toISOString()
      const before = (await all(invocation)).find((secret) => isCalled(secret, name))
      const { userSecrets } = client(invocation)
      const kept =
        before === undefined
          ? await userSecrets.create(
              { spec: { ...(git ? { gitHost: name } : { variable: name }), value, expiresAt: end } },
              { signal },
            )
          : await userSecrets.update(before.metadata.id, { spec: { value, expiresAt: end } }, { signal })
      show(
        terminal,
        output,
        kept,
        () => `${name} is kept: the machines that you claim from now on are given it`,
      )
    })
}

function listCommand(invocation: Invocation): Command {
  return new Command('list')
    .summary('list your own secrets, without their values')
    .addOption(outputOption())
    .addHelpText('after', examples('hearth secret list'))
    .action(async ({ output }: { output: Format }) => {
      const secrets = await all(invocation)
      show(invocation.terminal, output, secrets, () => ({
        columns: ['NAME', 'USE', 'ENDS', 'CHANGED', 'ID'],
        rows: secrets.map(({ metadata, spec }) => [
          metadata.name,
          spec.variable === null ? 'password for git' : 'variable',
          spec.expiresAt ?? 'never',
          metadata.updatedAt,
          metadata.id,
        ]),
      }))
    })
}

function deleteCommand(invocation: Invocation): Command {
  return new Command('delete')
    .summary('delete one of your secrets; machines that were given it keep it')
    .argument('<name-or-id>')
    .addHelpText('after', examples('hearth secret delete NPM_TOKEN'))
    .action(async (reference: string) => {
      const found = (await all(invocation)).find((secret) => isCalled(secret, reference))
      if (found === undefined) throw badInput('<name-or-id>', reference, 'one of `hearth secret list`')
      await client(invocation).userSecrets.delete(found.metadata.id, { signal: invocation.signal })
      invocation.terminal.out(`secret ${reference} deleted`)
    })
}

const all = (invocation: Invocation): Promise<UserSecret[]> =>
  client(invocation).userSecrets.listAll({}, { signal: invocation.signal })
const isCalled = ({ metadata }: UserSecret, reference: string) =>
  metadata.name === reference || metadata.id === reference
