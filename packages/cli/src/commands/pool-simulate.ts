import type { PoolSimulation, WarmPoolSpec } from '@hearth/contract'
import { Command, Option } from 'commander'
import type { Invocation } from '../invocation.ts'
import { findPool } from '../kinds/find-pool.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { renderTable } from '../output/table.ts'
import { readClaimTimes } from './claim-times.ts'
import { examples, percentage, poolArgument, positiveNumber, viewOf, wholeNumber } from './options.ts'

interface SimulateOptions {
  claims?: string
  size?: number
  max?: number | false
  running?: number | false
  rest?: WarmPoolSpec['rest']
  share?: number
  fallback: 'cold' | 'refuse'
  bootSeconds?: number
  bootSlots?: number
  output: Format
}

export function simulateCommand(invocation: Invocation): Command {
  return new Command('simulate')
    .summary('say what a setting of a pool would have cost and missed; changes nothing')
    .argument('<pool>', poolArgument)
    .option(
      '--claims <file>',
      'when claims came: a time on each line, or what `get claims -o json` prints; without it those that are known',
    )
    .option('--size <environments>', 'as of `pool set`', wholeNumber(0, 1_000))
    .option('--max <environments>', 'as of `pool set`', wholeNumber(0, 1_000))
    .option('--no-max', 'as of `pool set`')
    .option('--running <environments>', 'as of `pool set`', wholeNumber(0, 1_000))
    .option('--no-running', 'as of `pool set`')
    .addOption(new Option('--rest <how>', 'as of `pool set`').choices(['suspended', 'stopped', 'resumable']))
    .option('--share <percent>', 'as of `pool set`', percentage)
    .addOption(
      new Option('--fallback <what>', 'what a claim does that finds none')
        .choices(['cold', 'refuse'])
        .default('cold'),
    )
    .option(
      '--boot-seconds <seconds>',
      'time to a ready machine, instead of the measured one',
      positiveNumber,
    )
    .option(
      '--boot-slots <count>',
      'machines that boot at once, instead of the runners’',
      wholeNumber(1, 100_000),
    )
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples(
        'hearth pool simulate shop --size 2 --max 20',
        'hearth pool simulate shop --claims monday.txt --running 2 --rest suspended',
        'hearth get claims -o json | hearth pool simulate shop --claims -',
      ),
    )
    .action(async (reference: string, options: SimulateOptions) => {
      const view = viewOf(invocation)
      const { metadata } = await findPool(view, reference)
      const { fallback, bootSeconds, bootSlots } = options
      const claims = options.claims === undefined ? undefined : readClaimTimes(options.claims)
      const given = { claims, fallback, bootSeconds, bootSlots }
      const simulate = (settings: ReturnType<typeof settingsOf>) =>
        view.client.warmPools.simulate(metadata.id, { ...given, settings }, { signal: view.signal })
      const settings = settingsOf(options)
      const present = await simulate({})
      const proposed = Object.keys(settings).length === 0 ? null : await simulate(settings)
      show(invocation.terminal, options.output, proposed ?? present, () => simulationText(present, proposed))
    })
}

function settingsOf({ size, max, running, rest, share }: SimulateOptions) {
  return {
    ...(size === undefined ? {} : { min: size }),
    ...(max === undefined ? {} : { max: max === false ? null : max }),
    ...(running === undefined ? {} : { running: running === false ? null : running }),
    ...(rest === undefined ? {} : { rest }),
    ...(share === undefined ? {} : { wantedShare: share / 100 }),
  }
}

const shownMisses = 5

/** What there would have been, as the pool is set beside what it might be set to. */
export function simulationText(present: PoolSimulation, proposed: PoolSimulation | null): string {
  const results = proposed === null ? [present] : [present, proposed]
  const row = (name: string, of: (result: PoolSimulation) => string) => [name, ...results.map(of)]
  const share = (count: number, { claims }: PoolSimulation) =>
    `${count} (${claims === 0 ? 0 : Math.round((count / claims) * 1_000) / 10} %)`
  const columns = ['', 'AS IT IS', ...(proposed === null ? [] : ['AS PROPOSED'])]
  const table = renderTable({
    columns,
    rows: [
      row('claims met at once', (result) => share(result.met.running, result)),
      row('claims that woke one', (result) => share(result.met.resting, result)),
      row('claims that found none', (result) => share(result.met.missed, result)),
      row('size', ({ sizes }) =>
        sizes.least === sizes.most ? String(sizes.most) : `${sizes.least} to ${sizes.most}`,
      ),
      row('changes of size', ({ sizes }) => String(sizes.changes)),
      row('machine hours running', ({ cost }) => cost.runningHours.toFixed(1)),
      row('machine hours at rest', ({ cost }) => cost.restingHours.toFixed(1)),
      row('memory, GiB hours', ({ cost }) => cost.memoryGibibyteHours.toFixed(1)),
      row('disk, GiB hours', ({ cost }) => cost.diskGibibyteHours.toFixed(1)),
    ],
  })
  const { from, until, claims, assumed } = present
  const slots = assumed.bootSlots === null ? 'any number at once' : `${assumed.bootSlots} at once`
  const measured = assumed.isMeasured ? ', as measured' : ''
  const head = `${claims} claims from ${from} to ${until}; boots of ${assumed.bootSeconds} s${measured}, ${slots}`
  const { misses } = proposed ?? present
  const shown = misses.slice(0, shownMisses).join(', ')
  const more = misses.length > shownMisses ? ', ...' : ''
  return [head, '', table, ...(misses.length === 0 ? [] : ['', `Found none at ${shown}${more}`])].join('\n')
}
