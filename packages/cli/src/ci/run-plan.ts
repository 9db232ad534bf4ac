import { type Service, type Task, taskSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { isAtRest } from '../following/follow-process.ts'
import { followUntil } from '../following/follow-until.ts'
import type { View } from '../kinds/kind.ts'
import { formatDuration } from '../output/duration.ts'
import type { GroupedOutput } from './grouped-output.ts'
import type { Plan, Planned } from './plan.ts'
import { resultOf, type TaskResult } from './result.ts'

/** One task under way. */
export interface Begun {
  /** As it is called in the project file. */
  name: string
  task: Task
}

/** Makes what the machine lacks and starts all of it, in the order of the plan. */
export async function beginPlan(
  { client, signal }: Pick<View, 'client' | 'signal'>,
  place: { claim: string } | { environment: string },
  environmentId: string,
  plan: Plan,
): Promise<Begun[]> {
  const begun: Begun[] = []
  for (const planned of plan.all) {
    const there = planned.isMade
      ? await make({ client, signal }, place, environmentId, planned)
      : await find({ client, signal }, environmentId, planned)
    const { id } = there.metadata
    if (isDone(there, planned, plan)) continue
    if (there.kind === 'Service') await client.services.start(id, { signal })
    else begun.push({ name: planned.name, task: await client.tasks.restart(id, { signal }) })
  }
  return begun
}

/** What a prebuild has done for the machine is not done once more for what only depends on it. */
const isDone = ({ spec, status }: Task | Service, { isMade, name }: Planned, { wanted }: Plan): boolean =>
  !isMade && !wanted.includes(name) && spec.on === 'prebuild' && status.phase === 'succeeded'

async function find(
  { client, signal }: Pick<View, 'client' | 'signal'>,
  environmentId: string,
  { kind, inMachine }: Planned,
): Promise<Task | Service> {
  const [found]: (Task | Service)[] = await client[kind].listAll(
    { environmentId, name: inMachine },
    { signal },
  )
  if (found !== undefined) return found
  throw new HearthError(
    'conflict',
    `the machine has no ${kind.slice(0, -1)} ${inMachine}, although its project declares it`,
  )
}

/** One that an earlier run has left there is replaced. */
async function make(
  view: Pick<View, 'client' | 'signal'>,
  place: { claim: string } | { environment: string },
  environmentId: string,
  planned: Planned,
): Promise<Task | Service> {
  const { client, signal } = view
  const { kind, inMachine } = planned
  for (const old of await client[kind].listAll({ environmentId, name: inMachine }, { signal })) {
    await client[kind].delete(old.metadata.id, { signal })
    await untilGone(view, old)
  }
  const isStarted = { start: false }
  if (planned.kind === 'tasks') {
    const { on: _, ...spec } = planned.definition
    const body = { name: inMachine, spec: { ...place, ...spec, schedule: null, ...isStarted } }
    return await client.tasks.create(body, { signal })
  }
  const { on: _, ...spec } = planned.definition
  return await client.services.create(
    { name: inMachine, spec: { ...place, ...spec, ...isStarted } },
    { signal },
  )
}

async function untilGone(
  { client, signal }: Pick<View, 'client' | 'signal'>,
  { kind, metadata }: Task | Service,
) {
  const group = kind === 'Task' ? client.tasks : client.services
  await followUntil(client, {
    signal,
    kind,
    resourceId: metadata.id,
    read: async (reading) =>
      (await group.get(metadata.id, { signal: reading }).catch((error: unknown) => {
        if (error instanceof HearthError && error.code === 'not_found') return null
        throw error
      })) === null,
    take: ({ verb }) => verb === 'deleted',
  })
}

/** Shows what the tasks print until all are over; resolves with how they went, in the order in which they ended. */
export async function followPlan(
  view: View,
  begun: readonly Begun[],
  output: GroupedOutput,
): Promise<TaskResult[]> {
  const results: TaskResult[] = []
  await Promise.all(
    begun.map(async ({ name, task }) => {
      const { id } = task.metadata
      const { client, signal } = view
      const options = { follow: true, since: task.metadata.updatedAt, signal }
      for await (const { text } of client.tasks.logs(id, options)) output.add(name, text)
      signal.throwIfAborted()
      let ended = await client.tasks.get(id, { signal })
      if (!isAtRest(ended)) ended = await untilRest(view, ended)
      const result = resultOf(name, ended)
      results.push(result)
      output.end(name, endLine(result, view))
    }),
  )
  return results
}

async function untilRest({ client, signal }: View, first: Task): Promise<Task> {
  let seen = first
  await followUntil(client, {
    signal,
    kind: 'Task',
    resourceId: first.metadata.id,
    read: async (reading) => {
      seen = await client.tasks.get(first.metadata.id, { signal: reading })
      return isAtRest(seen)
    },
    take: ({ resource }) => {
      const parsed = taskSchema.safeParse(resource)
      if (parsed.success) seen = parsed.data
      return isAtRest(seen)
    },
  })
  return seen
}

function endLine(
  { name, outcome, seconds, message }: TaskResult,
  { terminal }: Pick<View, 'terminal'>,
): string {
  const tone = { succeeded: 'good', failed: 'bad', skipped: 'quiet' } as const
  const because = message === null ? '' : `: ${message}`
  return `${terminal.tone(tone[outcome], `${name} ${outcome}`)} after ${formatDuration(seconds * 1000)}${because}`
}
