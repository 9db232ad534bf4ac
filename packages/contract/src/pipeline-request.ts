import { z } from 'zod'

/** As what a pipeline begins. */
export const pipelineInitialSchema = z.enum(['running', 'paused', 'standby'])
export type PipelineInitial = z.infer<typeof pipelineInitialSchema>

/** What happens where the program is another one than what is stored was made by. */
export const bootstrapPolicySchema = z.enum(['await_approval', 'allow', 'reject'])
export type BootstrapPolicy = z.infer<typeof bootstrapPolicySchema>

const bootstrapFields = {
  silentBootstrap: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether its output is withheld meanwhile' }),
  concurrentBootstrap: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether what is there already goes on meanwhile' }),
}
export const pipelineStartSchema = z
  .strictObject({
    initial: pipelineInitialSchema.default('running'),
    bootstrapPolicy: bootstrapPolicySchema.default('await_approval'),
    ...bootstrapFields,
    dismissError: z.boolean().default(false).meta({ description: 'Whether its last error is dismissed' }),
  })
  .meta({ id: 'PipelineStart' })
export type PipelineStart = z.output<typeof pipelineStartSchema>
export const pipelineStopSchema = z
  .strictObject({
    force: z
      .boolean()
      .default(false)
      .meta({ description: 'Whether it ends at once; else it stores where it is, first' }),
  })
  .meta({ id: 'PipelineStop' })
export type PipelineStop = z.output<typeof pipelineStopSchema>
export const pipelineActivateSchema = z
  .strictObject({ initial: z.enum(['running', 'paused']).default('running') })
  .meta({ id: 'PipelineActivate' })
export type PipelineActivate = z.output<typeof pipelineActivateSchema>
export const pipelineApproveSchema = z.strictObject(bootstrapFields).meta({ id: 'PipelineApprove' })
export type PipelineApprove = z.output<typeof pipelineApproveSchema>

/** Why a request to a pipeline was refused: `facts.refusal` of the error. */
export const pipelineRefusals = [
  'bootstrap_options_exclude_each_other',
  'bootstrap_policy_immutable',
  'clear_only_when_stopped',
  'clearing',
  'delete_needs_cleared_storage',
  'delete_only_when_stopped',
  'dismiss_only_when_stopped',
  'edit_needs_cleared_storage',
  'edit_only_when_stopped',
  'illegal_change',
  'initial_immutable',
  'not_provisioned',
  'nothing_to_approve',
  'program_faulty',
  'standby_not_taken',
  'still_stopping',
  'undismissed_error',
  'unsuspendable',
] as const
export const pipelineRefusalSchema = z.enum(pipelineRefusals)
export type PipelineRefusal = z.infer<typeof pipelineRefusalSchema>
