import { Command } from 'commander'
import type { Invocation } from '../invocation.ts'
import { fields } from '../output/describe.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { examples, viewOf } from './options.ts'

export function openCommand(invocation: Invocation): Command {
  return new Command('open')
    .summary('make an address that lets your browser in to a route')
    .argument('<route>', 'name or id')
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples(
        'hearth open web-claim-0b8a11',
        'xdg-open "$(hearth open web-claim-0b8a11 -o json | jq -r .url)"',
      ),
    )
    .action(async (reference: string, options: { output: Format }) => {
      const { client, signal } = viewOf(invocation)
      const ticket = await client.routes.ticket(reference, { signal })
      show(invocation.terminal, options.output, ticket, () =>
        fields([
          ['Open', ticket.url],
          ['Once, until', ticket.expiresAt],
          ['In until', ticket.sessionEndsAt],
        ]),
      )
    })
}
