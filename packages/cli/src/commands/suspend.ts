import type { Environment } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { Command } from 'commander'
import { environmentOf, followPower } from '../following/follow-power.ts'
import type { Invocation } from '../invocation.ts'
import { findMachine } from '../kinds/find-machine.ts'
import { fields } from '../output/describe.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { openAccess } from '../ssh/open-access.ts'
import { examples, machineArgument, viewOf } from './options.ts'

interface PowerOptions {
  wait: boolean
  output: Format
}

export function suspendCommand(invocation: Invocation): Command {
  return new Command('suspend')
    .summary('keep the memory of a machine on its host’s disk, and end it until it is resumed')
    .argument('<claim-or-environment>', machineArgument)
    .option('--no-wait', 'end as soon as it is asked for')
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples('hearth suspend claim-0b8a11', 'hearth ssh claim-0b8a11    # goes on where it stood'),
    )
    .action(async (reference: string, options: PowerOptions) => {
      const ended = await change(invocation, reference, 'suspended', options)
      show(invocation.terminal, options.output, ended, () =>
        fields([
          ['Machine', ended.metadata.name],
          ['Phase', ended.status.phase],
          ['Go on', `hearth resume ${reference}, or hearth ssh ${reference}`],
        ]),
      )
    })
}

export function resumeCommand(invocation: Invocation): Command {
  return new Command('resume')
    .summary('let a suspended machine go on where it stood, or start a stopped one')
    .argument('<claim-or-environment>', machineArgument)
    .option('--no-wait', 'end as soon as it is asked for')
    .addOption(outputOption())
    .addHelpText('after', examples('hearth resume claim-0b8a11'))
    .action(async (reference: string, options: PowerOptions) => {
      const ended = await change(invocation, reference, 'running', options)
      // Its address may be another one now.
      if (options.wait) await openAccess(invocation, reference, { renew: true })
      show(invocation.terminal, options.output, ended, () =>
        fields([
          ['Machine', ended.metadata.name],
          ['Phase', ended.status.phase],
          ['Went on from', wentOnFrom(ended)],
          ['Shell', `hearth ssh ${reference}`],
        ]),
      )
    })
}

async function change(
  invocation: Invocation,
  reference: string,
  desiredPhase: 'running' | 'suspended',
  { wait }: PowerOptions,
): Promise<Environment> {
  const view = viewOf(invocation)
  const { client, signal } = view
  const before = await environmentOf(view, await findMachine(view, reference))
  if (before === null) throw new HearthError('conflict', `claim ${reference} has no environment any more`)
  const asked = await client.environments.update(before.metadata.id, { spec: { desiredPhase } }, { signal })
  return wait ? await followPower(view, asked, desiredPhase, invocation) : asked
}

function wentOnFrom({ status }: Environment): string | null {
  if (status.resumed === null) return null
  const { from, reason } = status.resumed
  return reason === null ? `its ${from}` : `its ${from}, because ${reason}`
}
