import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Task, TaskTrigger } from '@hearth/contract'
import type { Execution, ExecutionPhase } from '../../../kinds/process/index.ts'
import {
  type AutomationTrigger,
  type AutomationTriggerSchema,
  type EnvironmentVariableItemSchema,
  TaskExecutionPhase,
  type TaskExecutionSchema,
  type TaskSchema,
} from '../generated/gitpod/v1/automation_resource_pb.ts'
import { automationLabels as labels } from './native-automation.ts'
import { subjectOf, timestampOf } from './values.ts'

/** A schedule has no word: nobody asks for it by hand, and nothing that Ona knows begins it. */
const triggers: Readonly<Record<TaskTrigger, AutomationTrigger['trigger']['case'] | null>> = {
  manual: 'manual',
  start: 'postMachineStart',
  claim: 'postEnvironmentStart',
  prebuild: 'prebuild',
  cron: null,
}

export function toOnaTriggers(on: TaskTrigger): MessageInitShape<typeof AutomationTriggerSchema>[] {
  const word = triggers[on]
  return word == null ? [] : [{ trigger: { case: word, value: true } }]
}

/** Finds an id by a name. */
export type IdOf = (name: string) => string | undefined

/** What a task or service is given; a secret that its project has no more is left out. */
export function toOnaVariables(
  { variables, secrets }: Pick<Task['spec'], 'variables' | 'secrets'>,
  secretIdOf: IdOf,
): MessageInitShape<typeof EnvironmentVariableItemSchema>[] {
  const given = Object.entries(variables).map(([name, value]) => ({
    name,
    source: { case: 'value' as const, value },
  }))
  const referred = secrets.flatMap((name) => {
    const id = secretIdOf(name)
    if (id === undefined) return []
    const source = { case: 'secretRef' as const, value: { id } }
    return [{ name, source: { case: 'valueFrom' as const, value: { source } } }]
  })
  return [...given, ...referred]
}

/** What tasks and services say of themselves alike. */
export function toOnaMetadata({ metadata, spec }: { metadata: Task['metadata']; spec: { on: TaskTrigger } }) {
  const { [labels.reference]: reference = metadata.name } = metadata.labels
  return {
    reference,
    name: metadata.labels[labels.name] ?? reference,
    description: metadata.labels[labels.description] ?? '',
    createdAt: timestampOf(metadata.createdAt),
    creator: subjectOf(metadata.creator) ?? {},
    triggeredBy: toOnaTriggers(spec.on),
  }
}

const specOf = (spec: Task['spec'], secretIdOf: IdOf) => ({
  command: spec.command,
  env: toOnaVariables(spec, secretIdOf),
  prebuildRequiresSuccess: spec.on === 'prebuild' && spec.allowFailure !== true,
})

/** `idOf` finds the id of what a task depends on by its name. */
export function toOnaTask(task: Task, secretIdOf: IdOf, idOf: IdOf): MessageInitShape<typeof TaskSchema> {
  const { metadata, spec } = task
  return {
    id: metadata.id,
    environmentId: spec.environmentId,
    metadata: toOnaMetadata(task),
    spec: specOf(spec, secretIdOf),
    dependsOn: spec.dependsOn.flatMap((name) => idOf(name) ?? []),
  }
}

const phases: Readonly<Record<ExecutionPhase, TaskExecutionPhase>> = {
  pending: TaskExecutionPhase.PENDING,
  running: TaskExecutionPhase.RUNNING,
  succeeded: TaskExecutionPhase.SUCCEEDED,
  failed: TaskExecutionPhase.FAILED,
  stopped: TaskExecutionPhase.STOPPED,
}

export function nativeExecutionPhases(wanted: readonly TaskExecutionPhase[]): ExecutionPhase[] {
  const all = Object.entries(phases) as [ExecutionPhase, TaskExecutionPhase][]
  return all.filter(([, phase]) => wanted.includes(phase)).map(([native]) => native)
}

/** One start of a task is a plan of one step: what it depends on has executions of its own. */
export function toOnaExecution(
  { id, request, askedAt, phase, failure, startedAt, finishedAt, isWanted }: Omit<Execution, 'task'>,
  { metadata, spec, statusVersion }: Task,
  secretIdOf: IdOf,
  origin: string,
): MessageInitShape<typeof TaskExecutionSchema> {
  const failureMessage = failure ?? ''
  const environmentId = spec.environmentId
  const step = { id, phase: phases[phase], failureMessage }
  return {
    id,
    metadata: {
      taskId: metadata.id,
      environmentId,
      createdAt: timestampOf(askedAt.toISOString()),
      creator: subjectOf(metadata.creator) ?? {},
      startedAt: timestampOf(startedAt),
      completedAt: timestampOf(finishedAt),
    },
    spec: {
      plan: [
        {
          steps: [
            {
              id,
              label: metadata.name,
              step: { case: 'task', value: { id: metadata.id, spec: specOf(spec, secretIdOf) } },
            },
          ],
        },
      ],
      desiredPhase:
        isWanted || phase === 'succeeded' ? TaskExecutionPhase.SUCCEEDED : TaskExecutionPhase.STOPPED,
    },
    status: {
      statusVersion: BigInt(statusVersion),
      phase: phases[phase],
      failureMessage,
      steps: [step],
      logUrl: logUrl(origin, { environmentId, id: metadata.id, request }),
    },
  }
}

/** Where one start is read, to its end, with the token of the environment's logs. */
export function logUrl(
  origin: string,
  { environmentId, id, request }: { environmentId: string; id: string; request: number },
): string {
  return `${origin}/v1/environments/${environmentId}/processes/log?process=${id}&request=${request}&follow=true`
}
