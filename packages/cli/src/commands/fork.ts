import { mostForks } from '@hearth/contract'
import { Command } from 'commander'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { followForks } from '../following/follow-forks.ts'
import { type Invocation, stateFolder } from '../invocation.ts'
import { claimResult } from '../output/claim-result.ts'
import { formatDuration } from '../output/duration.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { keyPair } from '../ssh/key-pair.ts'
import { takeBound } from '../ssh/take-claim.ts'
import { addLabel, examples, viewOf, wholeNumber } from './options.ts'

export function forkCommand(invocation: Invocation): Command {
  return new Command('fork')
    .summary('make more environments of a claim’s running one, each with a claim of its own')
    .argument('<claim>', 'name or id')
    .option('--count <number>', `how many, up to ${mostForks}`, wholeNumber(1, mostForks), 1)
    .option('--cold', 'from the disk alone: they boot, and nothing that ran goes on in them')
    .option('-l, --label <key=value>', 'repeat for several', addLabel)
    .option('--no-wait', 'end as soon as they are asked for')
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples(
        'hearth fork claim-0b8a11 --count 3',
        'hearth fork claim-0b8a11 --cold',
        'hearth fork claim-0b8a11 -o json | jq -r .forks[].name',
      ),
    )
    .action(async (reference: string, options: ForkOptions) => {
      const { client, terminal, signal } = viewOf(invocation)
      const folder = stateFolder(invocation)
      const { variables } = invocation.config
      const pair = await keyPair(folder, variables)
      const started = performance.now()
      const { count, cold = false, label: labels = {} } = options
      const fork = await client.claims.fork(
        reference,
        { count, cold, labels, publicKey: pair.publicKey },
        { signal },
      )
      const ended = options.wait ? await followForks(client, fork, invocation) : fork
      const milliseconds = performance.now() - started
      const taken = await Promise.all(
        ended.claims.map(async ({ metadata }) =>
          takeBound(await client.claims.get(metadata.id, { signal }), { pair, folder, milliseconds }),
        ),
      )
      const result = {
        snapshot: { id: ended.snapshot.metadata.id, name: ended.snapshot.metadata.name },
        forks: taken.map((one) => ({
          ...claimResult(one, folder),
          failure: one.claim.status.failure?.message ?? null,
        })),
      }
      const names = new Map(ended.environments.map(({ metadata }) => [metadata.id, metadata.name]))
      show(terminal, options.output, result, () => ({
        columns: ['CLAIM', 'PHASE', 'ENVIRONMENT', 'ADDRESS', 'SHELL'],
        rows: result.forks.map(({ name, phase, environmentId, address }) => [
          name,
          phase,
          names.get(environmentId ?? '') ?? '-',
          address === null ? '-' : `${address.host}:${address.port}`,
          phase === 'failed' ? '-' : `hearth ssh ${name}`,
        ]),
      }))
      const failed = result.forks.filter(({ phase }) => phase === 'failed')
      if (failed.length > 0) {
        const causes = failed.map(({ name, failure }) => `${name}: ${failure ?? 'no cause is known'}`)
        const tally = `${failed.length} of ${result.forks.length} forks failed`
        throw new CommandError([tally, ...causes].join('\n'), exitCodes.failure)
      }
      if (options.wait) terminal.note(`took ${formatDuration(milliseconds)}; the origin runs on`)
    })
}

interface ForkOptions {
  count: number
  cold?: boolean
  label?: Record<string, string>
  wait: boolean
  output: Format
}
