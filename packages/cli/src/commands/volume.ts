import type { Volume } from '@hearth/contract'
import { Command } from 'commander'
import { followVolume } from '../following/follow-volume.ts'
import type { Invocation } from '../invocation.ts'
import { findMachine, placeOf } from '../kinds/find-machine.ts'
import { volumeKind } from '../kinds/volume.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { volumeSize } from '../volume-size.ts'
import { type DeletionOptions, deleteOne, withDeletionOptions } from './deletion.ts'
import { addLabel, examples, machineArgument, viewOf } from './options.ts'

export function volumeCommand(invocation: Invocation): Command {
  return new Command('volume')
    .summary('make, attach, copy, empty and remove volumes: disks that outlive machines')
    .addCommand(createCommand(invocation))
    .addCommand(listCommand(invocation))
    .addCommand(attachCommand(invocation))
    .addCommand(detachCommand(invocation))
    .addCommand(resizeCommand(invocation))
    .addCommand(snapshotCommand(invocation))
    .addCommand(clearCommand(invocation))
    .addCommand(deleteCommand(invocation))
}

interface WaitOptions {
  wait: boolean
  output: Format
}

function createCommand(invocation: Invocation): Command {
  const command = new Command('create')
    .summary('make a volume; its disk is made on the host of its first machine, unless a runner is named')
    .argument('<name>')
    .option('--size <size>', 'like 10GiB (the default); it may grow later, and never shrinks', volumeSize)
    .option('--mount <path>', 'where it is mounted in machines; by default /volumes/NAME')
    .option('--runner <runner>', 'make it on this runner, now')
    .option('--from <volume>', 'as a copy of this volume, or of this snapshot of one')
    .option('-l, --label <key=value>', 'repeat for several', addLabel)
  return waiting(
    command,
    'hearth volume create data --size 20GiB --mount /data',
    'hearth volume create trial --from data-monday',
  ).action(async (name: string, options: CreateOptions) => {
    const view = viewOf(invocation)
    const { size: sizeMebibytes, mount: mountPath, runner, from } = options
    const made = await view.client.volumes.create(
      { name, labels: options.label ?? {}, spec: { sizeMebibytes, mountPath, runner, from } },
      { signal: view.signal },
    )
    await end(invocation, made, options)
  })
}

interface CreateOptions extends WaitOptions {
  size?: number
  mount?: string
  runner?: string
  from?: string
  label?: Record<string, string>
}

function listCommand(invocation: Invocation): Command {
  return new Command('list')
    .summary('list volumes, with the machines that have them')
    .addOption(outputOption())
    .addHelpText('after', examples('hearth volume list'))
    .action(async ({ output }: { output: Format }) => {
      const { resources, table } = await volumeKind.list(viewOf(invocation), {})
      show(invocation.terminal, output, resources, table)
    })
}

function attachCommand(invocation: Invocation): Command {
  const command = new Command('attach')
    .summary('give a volume to one machine, which has it mounted from then on, also after restarts')
    .argument('<volume>', 'name or id')
    .argument('<claim-or-environment>', machineArgument)
    .option('--mount <path>', 'another mount path than the volume has')
  return waiting(
    command,
    'hearth volume attach data claim-0b8a11',
    'hearth volume attach data shop-1 --mount /srv/data',
  ).action(async (reference: string, machine: string, options: WaitOptions & { mount?: string }) => {
    const view = viewOf(invocation)
    const place = placeOf(await findMachine(view, machine))
    const body = { ...place, mountPath: options.mount }
    await end(invocation, await view.client.volumes.attach(reference, body, { signal: view.signal }), options)
  })
}

function detachCommand(invocation: Invocation): Command {
  const command = new Command('detach')
    .summary('take a volume out of its machine, once that has written out what belongs to it')
    .argument('<volume>', 'name or id')
    .option('--force', 'do not wait for programs that use it: what they have not written out is lost')
  return waiting(command, 'hearth volume detach data', 'hearth volume detach data --force').action(
    async (reference: string, options: WaitOptions & { force?: boolean }) => {
      const { client, signal } = viewOf(invocation)
      const force = options.force === true
      await end(invocation, await client.volumes.detach(reference, { force }, { signal }), options)
    },
  )
}

function resizeCommand(invocation: Invocation): Command {
  const command = new Command('resize')
    .summary('enlarge a volume, also in a machine that runs')
    .argument('<volume>', 'name or id')
    .argument('<size>', 'like 20GiB', volumeSize)
  return waiting(command, 'hearth volume resize data 40GiB').action(
    async (reference: string, sizeMebibytes: number, options: WaitOptions) => {
      const { client, signal } = viewOf(invocation)
      await end(
        invocation,
        await client.volumes.update(reference, { spec: { sizeMebibytes } }, { signal }),
        options,
      )
    },
  )
}

function snapshotCommand(invocation: Invocation): Command {
  const command = new Command('snapshot')
    .summary('make an immutable copy of a volume that is detached')
    .argument('<volume>', 'name or id')
    .argument('<name>', 'of the copy')
    .option('-l, --label <key=value>', 'repeat for several', addLabel)
  return waiting(command, 'hearth volume snapshot data data-monday').action(
    async (reference: string, name: string, options: WaitOptions & { label?: Record<string, string> }) => {
      const { client, signal } = viewOf(invocation)
      const body = { name, labels: options.label ?? {} }
      await end(invocation, await client.volumes.snapshot(reference, body, { signal }), options)
    },
  )
}

function clearCommand(invocation: Invocation): Command {
  const command = new Command('clear')
    .summary('empty a volume that is detached, or whose machine is stopped')
    .argument('<volume>', 'name or id')
    .option('--force', 'also under a machine that runs')
  return waiting(command, 'hearth volume clear data').action(
    async (reference: string, options: WaitOptions & { force?: boolean }) => {
      const { client, signal } = viewOf(invocation)
      const force = options.force === true
      await end(invocation, await client.volumes.clear(reference, { force }, { signal }), options)
    },
  )
}

function deleteCommand(invocation: Invocation): Command {
  const command = new Command('delete')
    .summary('delete a volume with all that is on it; one that a machine has only with --force')
    .argument('<volume>', 'name or id')
    .addHelpText('after', examples('hearth volume delete data --wait'))
    .action(async (reference: string, options: DeletionOptions) => {
      await deleteOne(volumeKind, viewOf(invocation), reference, options)
    })
  return withDeletionOptions(command, 'also one that a machine has')
}

function waiting(command: Command, ...lines: string[]): Command {
  return command
    .option('--no-wait', 'end as soon as it is asked for')
    .addOption(outputOption())
    .addHelpText('after', examples(...lines))
}

/** Waits for what was asked of a volume, where that is wanted, and shows it. */
async function end(invocation: Invocation, asked: Volume, { wait, output }: WaitOptions): Promise<void> {
  const view = viewOf(invocation)
  const volume = wait ? await followVolume(view, asked, invocation) : asked
  const { resource, text } = await volumeKind.one(view, volume.metadata.id)
  show(invocation.terminal, output, resource, text)
}
