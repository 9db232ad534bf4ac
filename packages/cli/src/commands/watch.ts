import { describeGap } from '@hearth/contract'
import { isId } from '@hearth/foundation'
import { Command, Option } from 'commander'
import { client, type Invocation } from '../invocation.ts'
import type { Kind } from '../kinds/kind.ts'
import { kindNamed } from '../kinds/kinds.ts'
import { eventLine } from '../output/event-line.ts'
import { badInput, examples, viewOf, wholeNumber } from './options.ts'

export function watchCommand(invocation: Invocation): Command {
  return new Command('watch')
    .summary('changes as they happen, until Ctrl-C')
    .argument('[kind]', 'only of this kind; see `hearth help kinds`')
    .option('--resource <name-or-id>', 'only of this resource; by name with its kind before')
    .option('--after <position>', 'from this position on; by default only what is new', wholeNumber(0, 1e15))
    .addOption(
      new Option('-o, --output <format>', 'how to show it').choices(['lines', 'json']).default('lines'),
    )
    .addHelpText(
      'after',
      examples(
        'hearth watch',
        'hearth watch environments',
        'hearth watch claim --resource claim-0b8a11',
        'hearth watch -o json | jq .resource.status.phase',
      ),
    )
    .action(async (kindName: string | undefined, options: WatchOptions) => {
      const kind = kindName === undefined ? null : kindNamed(kindName)
      if (kind !== null && kind.eventKind === null)
        throw badInput('KIND', kind.names[0], 'a kind with events')
      const { terminal, signal } = invocation
      const resourceId = await resourceIdOf(invocation, kind, options.resource)
      const changes = client(invocation).events.follow({
        signal,
        after: options.after,
        resourceId,
        kind: kind?.eventKind ?? undefined,
        onLost: () => terminal.note('connection lost; trying again'),
        onGap: (gap) => terminal.note(`${describeGap(gap)}. \`hearth get\` shows what is there now`),
      })
      for await (const event of changes) {
        terminal.out(options.output === 'json' ? JSON.stringify(event) : eventLine(event, terminal))
      }
    })
}

/** A name needs the kind that it belongs to. */
async function resourceIdOf(invocation: Invocation, kind: Kind | null, reference: string | undefined) {
  if (reference === undefined || isId(reference)) return reference
  if (kind === null) throw badInput('--resource', reference, 'an id, or a kind before the name')
  return await kind.idOf(viewOf(invocation), reference)
}

interface WatchOptions {
  resource?: string
  after?: number
  output: 'lines' | 'json'
}
