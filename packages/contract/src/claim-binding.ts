import { z } from 'zod'
import { failureSchema } from './failure.ts'
import { stepDeadlineSeconds, stepStatusSchema } from './provisioning-step.ts'
import { timeSchema } from './resource.ts'

/** The most that one claim may have bound. The sizes are bytes of UTF-8. */
export const bindingLimits = {
  variables: 128,
  valueBytes: 64 * 1024,
  /** All names and values together. */
  totalBytes: 128 * 1024,
  repositories: 32,
  startCommandBytes: 16 * 1024,
} as const

export const waitForSchema = z.enum(['address', 'bound']).meta({
  description:
    'When the claim is `bound`: as soon as its machine can be reached, or when all it asked for is bound',
})
export type WaitFor = z.infer<typeof waitForSchema>

export const boundRepositorySchema = z.object({ name: z.string(), ref: z.string() })
export type BoundRepository = z.infer<typeof boundRepositorySchema>

/** What a claim asked to be bound to its machine, as it is shown: secrets by name only. */
export const claimBindingSchema = z.object({
  variables: z.record(z.string(), z.string()).default({}),
  secretNames: z.array(z.string()).default([]),
  repositories: z.array(boundRepositorySchema).default([]),
  hostname: z.string().nullable().default(null),
  startCommand: z.string().nullable().default(null),
  waitFor: waitForSchema.default('bound'),
})
export type ClaimBinding = z.infer<typeof claimBindingSchema>

export const bindingPhases = ['pending', 'running', 'bound', 'failed'] as const
export const bindingPhaseSchema = z.enum(bindingPhases)
export type BindingPhase = z.infer<typeof bindingPhaseSchema>

export const bindingStatusSchema = z.object({
  phase: bindingPhaseSchema,
  attempt: z.int().positive().meta({ description: 'Rises with every retry' }),
  steps: z
    .array(stepStatusSchema)
    .meta({ description: 'With the end of what each printed; the whole is in the log of the environment' }),
  boundAt: timeSchema.nullable(),
  failure: failureSchema.nullable(),
})
export type BindingStatus = z.infer<typeof bindingStatusSchema>

type Bindable = Pick<ClaimBinding, 'variables' | 'secretNames' | 'repositories' | 'hostname' | 'startCommand'>

/** The steps of a binding in their order; those with nothing to do do not exist. */
export function bindingSteps(binding: Bindable) {
  const one = <Name extends string>(name: Name, isWanted: boolean) =>
    isWanted ? [{ name, repository: null }] : []
  return [
    ...one('bind_variables' as const, Object.keys(binding.variables).length + binding.secretNames.length > 0),
    ...one('bind_hostname' as const, binding.hostname !== null),
    ...binding.repositories.map(({ name }) => ({ name: 'checkout_repo' as const, repository: name })),
    ...one('start_command' as const, binding.startCommand !== null),
  ]
}

/** How long the runner may take to say that it began, and to say how a step ended. */
const graceSeconds = 120

/** How long a binding may take from when its machine runs, in seconds. */
export function bindingLimitSeconds(binding: Bindable): number {
  const steps = bindingSteps(binding).map(({ name }) => stepDeadlineSeconds[name] + graceSeconds)
  return steps.reduce((sum, seconds) => sum + seconds, graceSeconds)
}

/** How long a machine may run before its runner says that it began to bind, in seconds. */
export const bindingBeginsSeconds = graceSeconds
