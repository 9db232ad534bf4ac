import type { QuotaUses } from '@hearth/contract'
import { Command } from 'commander'
import { client, type Invocation } from '../invocation.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import type { Table } from '../output/table.ts'
import { examples } from './options.ts'

export function quotaCommand(invocation: Invocation): Command {
  return new Command('quota')
    .summary('show how much your organization and you may have, and have')
    .addOption(outputOption())
    .addHelpText('after', examples('hearth quota', 'hearth quota --output json'))
    .action(async ({ output }: { output: Format }) => {
      const uses = await client(invocation).quotas({ signal: invocation.signal })
      show(invocation.terminal, output, uses, () => quotaTable(uses))
    })
}

function quotaTable({ organization, principal }: QuotaUses): Table {
  const rows = (whose: string, uses: QuotaUses['organization'] | QuotaUses['principal']) =>
    Object.entries(uses).map(([quota, { limit, use }]) => [
      whose,
      quota,
      use === null ? '-' : String(use),
      limit === null ? 'none' : String(limit),
    ])
  return {
    columns: ['WHOSE', 'QUOTA', 'USE', 'LIMIT'],
    rows: [...rows('organization', organization), ...rows('you', principal)],
  }
}
