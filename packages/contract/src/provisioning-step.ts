import { z } from 'zod'

/** In the order they run. */
export const stepNames = [
  'create_vm',
  'own_identity',
  'ensure_server',
  'set_env_vars',
  'clone_repo',
  'init_repo',
  'project_setup',
  'repo_setup',
  'warm_pool_setup',
] as const
/** The steps of a machine that starts from its image: it has no identity of another one to give up. */
export const imageStepNames = stepNames.filter((name) => name !== 'own_identity')
/** What a claim asks of its machine beyond that, in the order they run; see `claim-binding.ts`. */
export const bindingStepNames = ['bind_variables', 'bind_hostname', 'checkout_repo', 'start_command'] as const
export type BindingStepName = (typeof bindingStepNames)[number]
export type ProvisioningStepName = (typeof stepNames)[number]
export const stepNameSchema = z.enum([...stepNames, ...bindingStepNames])
export type StepName = z.infer<typeof stepNameSchema>

export const stepPhaseSchema = z.enum(['pending', 'running', 'succeeded', 'failed', 'skipped', 'held'])
export type StepPhase = z.infer<typeof stepPhaseSchema>

/** Whether a step is over and the next one may begin. What a snapshot holds was done before it was made. */
export function isDone({ phase }: { phase: StepPhase }): boolean {
  return phase === 'succeeded' || phase === 'skipped' || phase === 'held'
}

/** How long a step may take before it fails, in seconds, unless its commands say otherwise. */
export const stepDeadlineSeconds: Readonly<Record<StepName, number>> = {
  create_vm: 300,
  own_identity: 120,
  ensure_server: 600,
  set_env_vars: 60,
  clone_repo: 1_800,
  init_repo: 1_800,
  project_setup: 3_600,
  repo_setup: 3_600,
  warm_pool_setup: 3_600,
  bind_variables: 60,
  bind_hostname: 60,
  checkout_repo: 900,
  start_command: 60,
}

/** The name a step goes by in log subjects, guest units and commands: `clone_repo.shop` for a repository's own. */
export function stepKey(step: { name: StepName; repository: string | null }): string {
  return step.repository === null ? step.name : `${step.name}.${step.repository}`
}

export const stepStatusSchema = z.object({
  name: stepNameSchema,
  repository: z.string().nullable().meta({ description: 'For the steps that run once per repository' }),
  phase: stepPhaseSchema,
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
  durationMilliseconds: z.int().nonnegative().nullable(),
  exitCode: z.int().nullable(),
  output: z.string().meta({
    description:
      'What it printed: the whole when it is small, else both ends and how much is left out between; in lists and events its last 1 KiB; the whole is in the log',
  }),
  outputBytes: z.int().nonnegative().meta({ description: 'How much it printed in all' }),
  error: z.string().nullable(),
})
export type StepStatus = z.infer<typeof stepStatusSchema>

export const provisioningSummarySchema = z.object({
  success: z.boolean().nullable().meta({ description: 'null while steps still run' }),
  failedStep: stepNameSchema.nullable(),
  error: z
    .string()
    .nullable()
    .meta({ description: 'The cause, with its exit code, and the last lines of what the step printed' }),
})
export type ProvisioningSummary = z.infer<typeof provisioningSummarySchema>

/** What the summary takes from a failure, which is defined by means of steps. */
interface Cause {
  message: string
  lastLines?: string[] | undefined
}

/**
 * What happened, at a glance. `success` is true only when no step is left and none failed. A machine that failed
 * without a step, because it never got one, failed in the first that is left.
 */
export function summarize(steps: readonly StepStatus[], failure: Cause | null): ProvisioningSummary {
  const failed = steps.find((step) => step.phase === 'failed')
  if (failed !== undefined) {
    const error = [failed.error ?? failure?.message ?? 'it failed', ...endOf(failed, failure)].join('\n')
    return { success: false, failedStep: failed.name, error }
  }
  const finished = steps.length > 0 && steps.every(isDone)
  if (failure === null || finished) return { success: finished ? true : null, failedStep: null, error: null }
  const left = steps.find((step) => step.phase === 'pending' || step.phase === 'running')
  return { success: false, failedStep: left?.name ?? 'create_vm', error: failure.message }
}

/** The last lines of what a step printed: with them an exit code explains itself. */
function endOf(step: StepStatus, failure: Cause | null): string[] {
  const printed = step.output.trimEnd()
  return failure?.lastLines ?? (printed === '' ? [] : printed.split('\n').slice(-20))
}

/** What a step has before it has begun. */
export const noResult = {
  startedAt: null,
  finishedAt: null,
  durationMilliseconds: null,
  exitCode: null,
  output: '',
  outputBytes: 0,
  error: null,
} satisfies Partial<StepStatus>
