import {
  type BindingOrder,
  bindingSteps,
  failureSchema,
  noResult,
  type ReportedBinding,
  type StepStatus,
  stepStatusSchema,
} from '@hearth/contract'
import { z } from 'zod'

/** How far a machine was bound to its claim, as it is stored beside the machine: no value of a variable is in it. */
export const bindingRecordSchema = z.object({
  claimId: z.string(),
  attempt: z.int().positive(),
  phase: z.enum(['running', 'bound', 'failed']),
  steps: z.array(stepStatusSchema),
  boundAt: z.string().nullable(),
  failure: failureSchema.nullable(),
  /** The host name from before, while the guest may have either; null before it is changed, and after. */
  formerHostname: z.string().nullable().default(null),
  /** Whether the disk was put back since to one that may not have the variables. */
  lacksVariables: z.boolean().default(false),
})
export type BindingRecord = z.infer<typeof bindingRecordSchema>

type Wanted = Pick<BindingOrder, 'claimId' | 'attempt'>

export function newBinding(order: BindingOrder): BindingRecord {
  return {
    claimId: order.claimId,
    attempt: order.attempt,
    phase: 'running',
    steps: bindingSteps(order).map((step): StepStatus => ({ ...step, ...noResult, phase: 'pending' })),
    boundAt: null,
    failure: null,
    formerHostname: null,
    lacksVariables: false,
  }
}

/** Whether the record is about this claim's try, or a later one: an order may have been under way for long. */
export function isOf(record: BindingRecord, { claimId, attempt }: Wanted): boolean {
  return record.claimId === claimId && record.attempt >= attempt
}

/** What is to be done for a machine that runs and needs nothing else; null for nothing. */
export function nextBinding(
  wanted: Wanted | null | undefined,
  record: BindingRecord | null,
): 'bind' | 'bind_again' | null {
  if (wanted == null) return null
  if (record === null || !isOf(record, wanted)) return 'bind'
  if (record.phase === 'running') return 'bind'
  return record.phase === 'bound' && record.lacksVariables ? 'bind_again' : null
}

/** After the machine's disk was put back: what was half done is done anew. */
export function restoredBinding(record: BindingRecord | null): BindingRecord | null {
  if (record === null || record.phase === 'running') return null
  const hasVariables = record.steps.some(
    ({ name, phase }) => name === 'bind_variables' && phase === 'succeeded',
  )
  return { ...record, lacksVariables: hasVariables }
}

export function reportedBinding(record: BindingRecord | null): ReportedBinding | null {
  if (record === null) return null
  const { claimId, attempt, phase, steps, boundAt, failure } = record
  return { claimId, attempt, phase, steps, boundAt, failure }
}
