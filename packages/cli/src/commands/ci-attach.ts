import type { Task } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { Command } from 'commander'
import { useMachine } from '../ci/ci-machine.ts'
import { finishCi, type ReportOptions } from '../ci/finish.ts'
import { Machine } from '../ci/machine.ts'
import type { Planned } from '../ci/plan.ts'
import { folderInGuest } from '../ci/repository-folder.ts'
import type { Invocation } from '../invocation.ts'
import { examples, viewOf } from './options.ts'

interface AttachOptions extends ReportOptions {
  keep?: boolean
}

export function attachCommand(invocation: Invocation): Command {
  return new Command('attach')
    .summary('go on with a run of `hearth ci` that was left, to its end')
    .argument('<session>', 'name or id')
    .option('--keep', 'do not give the machine back; it ends at the time limit')
    .option('--artifacts <folder>', 'where what tasks declare in `artifacts` is copied to', 'artifacts')
    .option('--junit <file>', 'write the results as JUnit has them')
    .option(
      '--summary <file>',
      'add the results in Markdown; by default to GITHUB_STEP_SUMMARY where that is set',
    )
    .addHelpText('after', examples('hearth ci attach session-0b8a11'))
    .action((reference: string, _: unknown, command: Command) =>
      attach(invocation, reference, attachOptions(command)),
    )
}

/** `hearth ci` takes the same options, and takes them first wherever they stand. */
export const attachOptions = (command: Command): AttachOptions => command.optsWithGlobals()

async function attach(invocation: Invocation, reference: string, options: AttachOptions): Promise<void> {
  const view = viewOf(invocation)
  const { client, signal } = view
  const session = await client.sessions.get(reference, { signal })
  const { environmentId } = session.spec
  if (environmentId === null)
    throw new HearthError('conflict', `session ${reference} has no machine: its tasks were never started`)
  const { claimId } = (await client.environments.get(environmentId, { signal })).status
  const taken = await useMachine(invocation, view, claimId ?? environmentId)
  const tasks = (await client.tasks.listAll({ environmentId }, { signal })).filter((task) =>
    isOf(session, task),
  )
  const folder = folderInGuest(
    { folder: session.spec.file, remotes: [] },
    taken.environment.spec.plan?.repositories ?? [],
  )
  try {
    await finishCi(invocation, view, {
      machine: new Machine(invocation, taken.accessId),
      folder,
      begun: tasks.map((task) => ({ name: task.metadata.name, task: since(session, task) })),
      planned: { all: tasks.map(toPlanned) },
      options,
    })
  } finally {
    if (options.keep !== true && claimId !== null)
      await client.claims.release(claimId, { signal: AbortSignal.timeout(10_000) }).catch(() => undefined)
    await client.sessions.end(session.metadata.id).catch(() => undefined)
  }
}

/** Whether a task was started by the session, and not before it. */
function isOf({ status }: { status: { startedAt: string } }, task: Task): boolean {
  const { run } = task.status
  const isUnderway = !['idle', 'stopped', 'succeeded', 'failed'].includes(task.status.phase)
  return (
    isUnderway ||
    task.metadata.updatedAt >= status.startedAt ||
    (run !== null && run.startedAt >= status.startedAt)
  )
}

/** What it printed is read from the beginning of the session on. */
const since = (session: { status: { startedAt: string } }, task: Task): Task => ({
  ...task,
  metadata: { ...task.metadata, updatedAt: session.status.startedAt },
})

function toPlanned({ metadata, spec }: Task): Planned {
  const { environmentId: _, desired: __, request: ___, isDeclared: ____, ...definition } = spec
  return { kind: 'tasks', name: metadata.name, inMachine: metadata.name, isMade: false, definition }
}
