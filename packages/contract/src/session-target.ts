import { z } from 'zod'
import { boundedLine, boundedText } from './bounded.ts'
import { timeSchema } from './resource.ts'

/** The most that the caller of one session may report. The sizes are bytes of UTF-8. */
export const sessionLimits = {
  targets: 256,
  nameBytes: 127,
  resources: 16,
  messageBytes: 512,
  errorBytes: 4_096,
  /** All reported targets together, as JSON. */
  reportedBytes: 256 * 1024,
  fileBytes: 4_096,
} as const

/** A job runs to its end; a server runs on, so that each end of it is an error. */
export const targetTypeSchema = z.enum(['job', 'server'])
export type TargetType = z.infer<typeof targetTypeSchema>

/** Why a target has not begun. */
export const waitReasonSchema = z.enum([
  'queued', // its turn has not come
  'dependency', // what it depends on is not ready, or has not ended well
  'machine', // its machine does not run
  'preparation', // what it is made from is being made
  'restart', // the pause before it is run once more
  'changed', // what it is made from has changed
  'unknown',
])
export type WaitReason = z.infer<typeof waitReasonSchema>

/** Whether an error is passed over for now, since the grace period is not over, or is none any more. */
export const graceSchema = z.enum(['tolerated', 'exceeded'])

const message = boundedLine(sessionLimits.messageBytes)
const states = {
  /** It is not asked to run. */
  none: z.object({ kind: z.literal('none') }),
  disabled: z.object({ kind: z.literal('disabled') }),
  waiting: z.object({
    kind: z.literal('waiting'),
    reason: waitReasonSchema,
    message: message.nullable().meta({ description: 'The same in words, where there is more to say' }),
  }),
  active: z.object({
    kind: z.literal('active'),
    startedAt: timeSchema,
    ready: z.boolean().meta({ description: 'Never of a job, which is well when it has ended' }),
    lastReadyAt: timeSchema.nullable(),
  }),
  terminated: z.object({
    kind: z.literal('terminated'),
    startedAt: timeSchema.nullable(),
    finishedAt: timeSchema.nullable(),
    error: z.string().nullable(),
    grace: graceSchema.nullable().meta({ description: 'null where there is no grace period' }),
  }),
}

/** Exactly one of these. */
export const targetStateSchema = z.discriminatedUnion('kind', [
  states.none,
  states.disabled,
  states.waiting,
  states.active,
  states.terminated,
])
export type TargetState = z.infer<typeof targetStateSchema>

export const targetNameSchema = boundedLine(sessionLimits.nameBytes, 1).meta({ example: 'shop-test:update' })
export const sessionTargetSchema = z
  .object({
    name: targetNameSchema,
    type: targetTypeSchema,
    resources: z.array(z.string()).meta({ description: 'What of the project it belongs to, by name' }),
    state: targetStateSchema,
  })
  .meta({ id: 'SessionTarget' })
export type SessionTarget = z.infer<typeof sessionTargetSchema>

const reported = timeSchema.optional().meta({ description: 'By default the time of the report' })
/** A state as a caller reports it: what it leaves out follows from the state before and the time of the report. */
const reportedStateSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('disabled') }),
  z.strictObject({
    kind: z.literal('waiting'),
    reason: waitReasonSchema.default('queued'),
    message: message.nullable().default(null),
  }),
  z.strictObject({
    kind: z.literal('active'),
    startedAt: reported,
    ready: z.boolean().default(false),
  }),
  z.strictObject({
    kind: z.literal('terminated'),
    startedAt: reported,
    finishedAt: reported,
    error: boundedText(sessionLimits.errorBytes).nullable().default(null),
  }),
])

export const targetReportSchema = z.strictObject({
  name: targetNameSchema,
  type: targetTypeSchema.default('job'),
  resources: z.array(boundedLine(sessionLimits.nameBytes, 1)).max(sessionLimits.resources).default([]),
  state: reportedStateSchema,
})
export type TargetReport = z.infer<typeof targetReportSchema>

/** What happens on the caller's side: targets that are not named stay as they are. */
export const targetReportsSchema = z
  .strictObject({
    targets: z
      .array(targetReportSchema)
      .min(1)
      .max(sessionLimits.targets)
      .refine((targets) => new Set(targets.map(({ name }) => name)).size === targets.length, {
        message: 'each name once',
      }),
  })
  .meta({ id: 'TargetReports' })
