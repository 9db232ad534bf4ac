import type { Command, CommandContext } from '../../../api/command.ts'
import { labelled } from '../../../api/labelled.ts'

type Labels = Record<string, string>
type Transaction = Parameters<Command<never, unknown>['run']>[0]
interface OnOne<Body> {
  reference: string
  body: Body
}
type Lock = (
  tx: Transaction,
  context: CommandContext,
  reference: string,
) => Promise<{ labels: Readonly<Labels> }>

/**
 * The command, and some labels of what it changes; the others stay, also those that are changed at the same time. An empty text
 * takes one away.
 */
export function withLabels<Body extends { labels?: Labels | undefined }, Outcome>(
  command: Command<OnOne<Body>, Outcome>,
  lock: Lock,
  labels: Readonly<Record<string, string | undefined>>,
): Command<OnOne<Body>, Outcome> {
  return {
    ...command,
    async run(tx, context, input, prepared) {
      const before = await lock(tx, context, input.reference)
      const body = { ...input.body, labels: labelled(before.labels, labels) }
      return command.run(tx, context, { ...input, body }, prepared)
    },
  }
}
