import { instanceStateSchema } from '@hearth/contract'
import { Command, Option } from 'commander'
import type { Invocation } from '../invocation.ts'
import { findPool } from '../kinds/find-pool.ts'
import { namesOf } from '../kinds/names.ts'
import { warmPoolKind } from '../kinds/warm-pool.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { instanceTable } from '../output/instance-table.ts'
import { examples, poolArgument, viewOf } from './options.ts'
import { setCommand } from './pool-set.ts'
import { simulateCommand } from './pool-simulate.ts'
import { testCommand } from './pool-test.ts'

export function poolCommand(invocation: Invocation): Command {
  return new Command('pool')
    .summary('set, simulate, test and look into warm pools')
    .addCommand(showCommand(invocation))
    .addCommand(setCommand(invocation))
    .addCommand(simulateCommand(invocation))
    .addCommand(testCommand(invocation))
    .addCommand(instancesCommand(invocation))
    .addCommand(clearCommand(invocation))
}

function showCommand(invocation: Invocation): Command {
  return new Command('show')
    .summary('how a pool is set, its counts as they are now, and why it fails')
    .argument('<pool>', poolArgument)
    .addOption(outputOption())
    .addHelpText('after', examples('hearth pool show shop', 'hearth pool show shop-small -o yaml'))
    .action(async (reference: string, { output }: { output: Format }) => {
      const { resource, text } = await warmPoolKind.one(viewOf(invocation), reference)
      show(invocation.terminal, output, resource, text)
    })
}

function instancesCommand(invocation: Invocation): Command {
  return new Command('instances')
    .summary('the environments of a pool: members, those claimed from it, and its tests')
    .argument('<pool>', poolArgument)
    .addOption(
      new Option('--only <state>', 'only in this state; removed ones are shown only so').choices(
        instanceStateSchema.options,
      ),
    )
    .addOption(outputOption())
    .addHelpText('after', examples('hearth pool instances shop', 'hearth pool instances shop --only failed'))
    .action(async (reference: string, options: { only?: string; output: Format }) => {
      const view = viewOf(invocation)
      const { metadata } = await findPool(view, reference)
      const state = options.only === undefined ? undefined : instanceStateSchema.parse(options.only)
      const instances = await view.client.warmPools
        .instances(metadata.id)
        .listAll({ state }, { signal: view.signal })
      const claimIds = instances.map(({ environment }) => environment.status.claimId)
      const claimNames = await namesOf(view.client.claims, claimIds, view.signal)
      show(invocation.terminal, options.output, instances, () =>
        instanceTable(instances, claimNames, view.terminal, view.now),
      )
    })
}

function clearCommand(invocation: Invocation): Command {
  return new Command('clear')
    .summary('remove every unclaimed environment of a pool')
    .argument('<pool>', poolArgument)
    .option('--replenish', 'fill it anew; otherwise it stays empty until it is enabled again or changed')
    .addOption(outputOption())
    .addHelpText('after', examples('hearth pool clear shop', 'hearth pool clear shop --replenish'))
    .action(async (reference: string, options: { replenish?: boolean; output: Format }) => {
      const view = viewOf(invocation)
      const { metadata } = await findPool(view, reference)
      const replenish = options.replenish === true
      const pool = await view.client.warmPools.clear(metadata.id, { replenish }, { signal: view.signal })
      show(invocation.terminal, options.output, pool, () => {
        const then = replenish ? 'fills anew' : 'stays empty until it is enabled again or changed'
        return `pool ${metadata.name} is cleared and ${then}`
      })
    })
}
