import type { Command, InstanceState, StepStatus, WarmPoolInstance } from '@hearth/contract'
import { z } from '@hono/zod-openapi'

const statusSchema = z.enum(['provisioning', 'ready', 'failed', 'claimed'])
export type CapyStatus = z.infer<typeof statusSchema>
export const capyStatusSchema = statusSchema

const stepSchema = z.object({
  name: z.string(),
  repository: z.string().nullable(),
  status: z.enum(['pending', 'running', 'success', 'failed', 'skipped']),
  output: z.string(),
  error: z.string().nullable(),
  exitCode: z.int().nullable(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  durationMs: z.int().nullable(),
})

const rowFields = {
  id: z.string(),
  status: statusSchema,
  test: z.boolean().meta({ description: 'Made by POST .../test, and no part of the pool' }),
  createdAt: z.string(),
  claimedAt: z.string().nullable(),
}
export const instanceRowSchema = z.object(rowFields).meta({ id: 'CapyInstanceRow' })
export const instanceSchema = z
  .object({
    ...rowFields,
    summary: z.object({
      success: z.boolean().nullable().meta({ description: 'null while steps still run' }),
      failedStep: z.string().nullable(),
      error: z.string().nullable(),
    }),
    steps: z.array(stepSchema),
  })
  .meta({ id: 'CapyInstance' })

/**
 * The dialect's four statuses. An environment that is being deleted, deleted or unreachable keeps the result of its
 * steps, since the dialect's clients poll for the result of a boot.
 */
export function statusOf({ state, environment }: WarmPoolInstance): CapyStatus {
  switch (state) {
    case 'provisioning':
    case 'ready':
    case 'failed':
    case 'claimed':
      return state
    // A claim gets it, if a second later.
    case 'suspended':
    case 'stopped':
      return 'ready'
    case 'unavailable':
    case 'removing':
    case 'removed':
      return environment.status.summary.success === true ? 'ready' : 'failed'
    default:
      return state satisfies never
  }
}

/** The instance state for each status of the dialect, used as a filter. */
export const stateOf: Readonly<Record<CapyStatus, InstanceState>> = {
  provisioning: 'provisioning',
  ready: 'ready',
  failed: 'failed',
  claimed: 'claimed',
}

export function toRow(instance: WarmPoolInstance): z.infer<typeof instanceRowSchema> {
  const { id, createdAt } = instance.environment.metadata
  return {
    id,
    status: statusOf(instance),
    test: instance.purpose === 'test',
    createdAt,
    claimedAt: instance.claimedAt,
  }
}

export function toCapyInstance(instance: WarmPoolInstance): z.infer<typeof instanceSchema> {
  const { steps, summary } = instance.environment.status
  const { success, failedStep, error } = summary
  return { ...toRow(instance), summary: { success, failedStep, error }, steps: steps.map(toStep) }
}

function toStep(step: StepStatus): z.infer<typeof stepSchema> {
  return {
    name: step.name,
    repository: step.repository,
    // What a snapshot holds was done before, which this dialect has no word for.
    status: step.phase === 'succeeded' || step.phase === 'held' ? 'success' : step.phase,
    output: step.output,
    error: step.error,
    exitCode: step.exitCode,
    startedAt: step.startedAt,
    finishedAt: step.finishedAt,
    durationMs: step.durationMilliseconds,
  }
}

/** Commands in the dialect's format. */
export function toCapyCommands(commands: readonly Command[]): { name: string; command: string }[] {
  return commands.map(({ name, command }) => ({ name, command }))
}
