import { describeGap } from '@hearth/contract'
import { Command, Option } from 'commander'
import { client, type Invocation } from '../invocation.ts'
import { kindNamed } from '../kinds/kinds.ts'
import { eventLine } from '../output/event-line.ts'
import { badInput, examples, wholeNumber } from './options.ts'

export function watchCommand(invocation: Invocation): Command {
  return new Command('watch')
    .summary('changes as they happen, until Ctrl-C')
    .argument('[kind]', 'only of this kind; see `hearth help kinds`')
    .option('--resource <id>', 'only of this resource')
    .option('--after <position>', 'from this position on; by default only what is new', wholeNumber(0, 1e15))
    .addOption(
      new Option('-o, --output <format>', 'how to show it').choices(['lines', 'json']).default('lines'),
    )
    .addHelpText(
      'after',
      examples(
        'hearth watch',
        'hearth watch environments',
        'hearth watch -o json | jq .resource.status.phase',
      ),
    )
    .action(async (kindName: string | undefined, options: WatchOptions) => {
      const kind = kindName === undefined ? null : kindNamed(kindName)
      if (kind !== null && kind.eventKind === null)
        throw badInput('KIND', kind.names[0], 'a kind with events')
      const { terminal, signal } = invocation
      const changes = client(invocation).events.follow({
        signal,
        after: options.after,
        resourceId: options.resource,
        kind: kind?.eventKind ?? undefined,
        onLost: () => terminal.note('connection lost; trying again'),
        onGap: (gap) => terminal.note(`${describeGap(gap)}. \`hearth get\` shows what is there now`),
      })
      for await (const event of changes) {
        terminal.out(options.output === 'json' ? JSON.stringify(event) : eventLine(event, terminal))
      }
    })
}

interface WatchOptions {
  resource?: string
  after?: number
  output: 'lines' | 'json'
}
