import { roleSchema } from '@hearth/contract'
import { Command, Option } from 'commander'
import { client, type Invocation } from '../invocation.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { badInput, examples, wholeNumber } from './options.ts'

const roles = roleSchema.options.filter((role) => role !== 'runner')

export function tokenCommand(invocation: Invocation): Command {
  return new Command('token')
    .summary('who may do what')
    .addCommand(createCommand(invocation))
    .addCommand(listCommand(invocation))
    .addCommand(deleteCommand(invocation))
}

function createCommand(invocation: Invocation): Command {
  return new Command('create')
    .summary('make a token; its secret is shown this once')
    .argument('<name>')
    .addOption(new Option('--role <role...>', 'what it may do').choices(roles).default(['member']))
    .option('--days <days>', 'when it ends; by default never', wholeNumber(1, 36_500))
    .addOption(outputOption())
    .addHelpText('after', examples('hearth token create ci --role member --days 90'))
    .action(async (name: string, options: { role: string[]; days?: number; output: Format }) => {
      const expiresAt =
        options.days === undefined ? undefined : daysFrom(invocation.clock.now(), options.days)
      const created = await client(invocation).tokens.create(
        { name, roles: options.role.map(knownRole), expiresAt },
        { signal: invocation.signal },
      )
      show(invocation.terminal, options.output, created, () => created.secret)
    })
}

function listCommand(invocation: Invocation): Command {
  return new Command('list')
    .summary('list tokens; secrets are never shown')
    .addOption(outputOption())
    .addHelpText('after', examples('hearth token list'))
    .action(async ({ output }: { output: Format }) => {
      const tokens = await client(invocation).tokens.listAll({}, { signal: invocation.signal })
      show(invocation.terminal, output, tokens, () => ({
        columns: ['NAME', 'ROLES', 'ENDS', 'USED', 'WITH', 'ID'],
        rows: tokens.map((token) => [
          token.name,
          token.roles.join(', '),
          token.expiresAt ?? 'never',
          token.lastUsedAt ?? 'never',
          token.lastClient ?? '',
          token.id,
        ]),
      }))
    })
}

function deleteCommand(invocation: Invocation): Command {
  return new Command('delete')
    .summary('end a token')
    .argument('<name-or-id>')
    .addHelpText('after', examples('hearth token delete ci'))
    .action(async (reference: string) => {
      await client(invocation).tokens.delete(reference, { signal: invocation.signal })
      invocation.terminal.out(`token ${reference} deleted`)
    })
}

function knownRole(role: string) {
  const known = roles.find((one) => one === role)
  if (known === undefined) throw badInput('--role', role, `one of ${roles.join(', ')}`)
  return known
}

function daysFrom(now: Date, days: number): string {
  return new Date(now.getTime() + days * 86_400_000).toISOString()
}
