import type { Environment, StartedFrom } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { Command } from 'commander'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { followBoot } from '../following/follow-boot.ts'
import type { Invocation } from '../invocation.ts'
import { type FoundMachine, findMachine } from '../kinds/find-machine.ts'
import type { View } from '../kinds/kind.ts'
import { failureText, fields } from '../output/describe.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { openAccess } from '../ssh/open-access.ts'
import { examples, machineArgument, viewOf } from './options.ts'

export function restoreCommand(invocation: Invocation): Command {
  return new Command('restore')
    .summary('put an environment back to a checkpoint: what it did since is lost')
    .argument('<claim-or-environment>', machineArgument)
    .argument(
      '[checkpoint]',
      'name or id of a snapshot of this environment; by default its newest checkpoint',
    )
    .option('--cold', 'from the disk alone: the environment boots, and nothing that ran goes on')
    .option('--no-wait', 'end as soon as it is asked for')
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples(
        'hearth restore claim-0b8a11',
        'hearth restore claim-0b8a11 before-upgrade',
        'hearth restore claim-0b8a11 --cold',
      ),
    )
    .action(async (reference: string, checkpoint: string | undefined, options: RestoreOptions) => {
      const view = viewOf(invocation)
      const found = await findMachine(view, reference)
      const restoring = await restore(view, found, { checkpoint, memory: options.cold !== true })
      const title = `environment ${restoring.metadata.name}`
      const ended = options.wait ? await followBoot(view.client, restoring, title, invocation) : restoring
      if (options.wait && ended.status.phase !== 'running') throw notRestored(ended, view)
      // Its address may be another one now.
      if (options.wait) await openAccess(invocation, found.resource.metadata.id, { renew: true })
      const snapshot = await view.client.snapshots.get(ended.spec.source?.snapshotId ?? '', {
        signal: view.signal,
      })
      show(view.terminal, options.output, ended, () =>
        fields([
          ['Machine', ended.metadata.name],
          ['Phase', ended.status.phase],
          ['Put back to', `${snapshot.metadata.name}, made ${snapshot.metadata.createdAt}`],
          ['Started from', startText(ended.status.startedFrom)],
          ['Shell', `hearth ssh ${found.resource.metadata.name}`],
        ]),
      )
    })
}

interface RestoreOptions {
  cold?: boolean
  wait: boolean
  output: Format
}

/** Asks for it, and returns the environment as it is then. */
async function restore(
  { client, signal }: View,
  { kind, resource }: FoundMachine,
  wish: { checkpoint: string | undefined; memory: boolean },
): Promise<Environment> {
  const { id, name } = resource.metadata
  if (kind === 'environment') return await client.environments.restore(id, wish, { signal })
  const { status } = await client.claims.restore(id, wish, { signal })
  if (status.environmentId === null)
    throw new HearthError('conflict', `claim ${name} has no environment any more`)
  return await client.environments.get(status.environmentId, { signal })
}

function notRestored({ metadata, status }: Environment, { terminal }: View): CommandError {
  const cause = status.failure === null ? '' : `\n${failureText(terminal, status.failure)}`
  return new CommandError(
    `environment ${metadata.name} is ${status.phase}, and not put back${cause}`,
    exitCodes.failure,
  )
}

function startText(startedFrom: StartedFrom | null): string | null {
  if (startedFrom === null) return null
  const { from, reason } = startedFrom
  return reason === null ? from : `${from}, because ${reason}`
}
