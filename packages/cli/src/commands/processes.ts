import { serviceSchema, taskSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { Command } from 'commander'
import { environmentOf } from '../following/follow-power.ts'
import { endAs, isAtRest } from '../following/follow-process.ts'
import { followUntil } from '../following/follow-until.ts'
import { isNewer } from '../following/pool-state.ts'
import type { Invocation } from '../invocation.ts'
import { findMachine } from '../kinds/find-machine.ts'
import { callsOf, findProcess } from '../kinds/find-process.ts'
import type { View } from '../kinds/kind.ts'
import { environmentNames, type Process, processColumns, processRow } from '../kinds/process-parts.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { examples, machineArgument, viewOf } from './options.ts'

export const tasksCommand = (invocation: Invocation) => listCommand(invocation, 'tasks')
export const servicesCommand = (invocation: Invocation) => listCommand(invocation, 'services')

function listCommand(invocation: Invocation, kinds: 'tasks' | 'services'): Command {
  return new Command(kinds)
    .summary(`the ${kinds} of a machine, or all of them`)
    .argument('[claim-or-environment]', machineArgument)
    .addOption(outputOption())
    .addHelpText('after', examples(`hearth ${kinds} claim-0b8a11`, `hearth ${kinds} -o json`))
    .action(async (reference: string | undefined, { output }: { output: Format }) => {
      const view = viewOf(invocation)
      const filter = reference === undefined ? {} : { environmentId: await environmentIdOf(view, reference) }
      const items: Process[] = await view.client[kinds].listAll(filter, { signal: view.signal })
      const names = await environmentNames(view, Promise.resolve(items))
      show(invocation.terminal, output, items, () => ({
        columns: processColumns,
        rows: items.map((item) => processRow(item, view, names)),
      }))
    })
}

async function environmentIdOf(view: View, reference: string): Promise<string> {
  const environment = await environmentOf(view, await findMachine(view, reference))
  if (environment === null)
    throw new HearthError('conflict', `claim ${reference} has no environment any more`)
  return environment.metadata.id
}

const summaries = {
  start: 'start a task or a service, and what it depends on',
  stop: 'end the run of a task or a service',
  restart: 'end the run of a task or a service, and start it anew',
}

export const startCommand = (invocation: Invocation) => changeCommand(invocation, 'start')
export const stopCommand = (invocation: Invocation) => changeCommand(invocation, 'stop')
export const restartCommand = (invocation: Invocation) => changeCommand(invocation, 'restart')

function changeCommand(invocation: Invocation, change: 'start' | 'stop' | 'restart'): Command {
  const waits = change === 'stop' ? 'it has ended' : 'a service is ready, or a task has ended'
  return new Command(change)
    .summary(summaries[change])
    .argument('<claim/name>', 'of a machine, by name or id, a task or a service by name')
    .option('--no-wait', `end as soon as it is asked for; by default when ${waits}`)
    .addOption(outputOption())
    .addHelpText('after', examples(`hearth ${change} claim-0b8a11/web`))
    .action(async (reference: string, { wait, output }: { wait: boolean; output: Format }) => {
      const view = viewOf(invocation)
      const found = await findProcess(view, reference)
      const calls = callsOf(view.client, found)
      const asked: Process = await calls[change](found.metadata.id, { signal: view.signal })
      const isDone = (process: Process) =>
        isAtRest(process) ||
        (change !== 'stop' && process.kind === 'Service' && process.status.phase === 'running')
      const ended = wait ? await followProcess(view, asked, isDone) : asked
      const names = await environmentNames(view, Promise.resolve([ended]))
      show(invocation.terminal, output, ended, () => ({
        columns: processColumns,
        rows: [processRow(ended, view, names)],
      }))
      if (wait && change !== 'stop' && ended.status.phase !== 'running') endAs(ended)
    })
}

/** Resolves with the process as soon as it is as wanted. */
async function followProcess(
  { client, signal }: View,
  first: Process,
  isDone: (process: Process) => boolean,
): Promise<Process> {
  let seen = first
  const { id } = first.metadata
  const take = (next: Process): boolean => {
    if (isNewer(next, seen)) seen = next
    return isDone(seen)
  }
  await followUntil(client, {
    signal,
    kind: first.kind,
    resourceId: id,
    read: async (reading) => take(await callsOf(client, first).get(id, { signal: reading })),
    take: ({ resource }) => {
      const parsed = (first.kind === 'Task' ? taskSchema : serviceSchema).safeParse(resource)
      return parsed.success && take(parsed.data)
    },
  })
  return seen
}
