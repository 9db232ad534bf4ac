import { z } from 'zod'
import { boundedLine, countSchema, largestInteger } from './bounded.ts'
import { defineKind, rests } from './kind-definition.ts'
import { idSchema, labelsSchema, nameSchema, resourceSchema, statusFields, timeSchema } from './resource.ts'
import { sessionLimits, sessionTargetSchema } from './session-target.ts'

/** `manual`: goes on until it is ended. `ci`: is done when all targets are well, or one has failed. */
export const exitConditionSchema = z.enum(['manual', 'ci'])
export type ExitCondition = z.infer<typeof exitConditionSchema>

const span = (description: string) =>
  z
    .int()
    .min(1)
    .max(604_800)
    .nullable()
    .meta({ description: `${description}; null for no limit` })
const ciFields = {
  gracePeriodSeconds: span('How long after its start the errors of a service are passed over').meta({
    description: 'How long after its start the errors of a service are passed over; null for not at all',
  }),
  timeoutSeconds: span('How long the session may take'),
  readinessTimeoutSeconds: span('How long a server may be not ready'),
}
export const ciLimitsSchema = z.object(ciFields)
export type CiLimits = z.infer<typeof ciLimitsSchema>
/** What a session with the exit condition `ci` keeps to unless it says otherwise. */
export const defaultCiLimits: CiLimits = {
  gracePeriodSeconds: null,
  timeoutSeconds: 1_800,
  readinessTimeoutSeconds: 300,
}

const fileSchema = boundedLine(sessionLimits.fileBytes, 1).meta({
  description: 'Path of the project file, as its caller knows it',
  example: '/home/me/shop/hearth.yaml',
})

export const sessionSpecSchema = z.object({
  desired: z.enum(['open', 'ended']),
  file: z.string(),
  exitCondition: exitConditionSchema,
  ci: ciLimitsSchema.nullable().meta({ description: 'Only with the exit condition ci' }),
  projectId: idSchema.nullable().meta({ description: 'null until its caller has said which' }),
  environmentId: idSchema.nullable().meta({ description: 'Whose tasks and services are its targets' }),
  claimId: idSchema.nullable().meta({ description: 'The same, by the claim of the environment' }),
  detached: z.boolean().meta({ description: 'Goes on without its caller, who need not renew it' }),
})
export type SessionSpec = z.infer<typeof sessionSpecSchema>

export const sessionPhaseSchema = z.enum(['open', 'ended'])
export type SessionPhase = z.infer<typeof sessionPhaseSchema>

export const sessionStatusSchema = z.object({
  phase: sessionPhaseSchema,
  processId: countSchema.nullable().meta({ description: 'Of its caller, on the caller’s own machine' }),
  startedAt: timeSchema,
  leaseEndsAt: timeSchema.nullable().meta({
    description: 'Until when its caller counts as alive; null where none is needed any more',
  }),
  targets: z.array(sessionTargetSchema).meta({ description: 'In the order of their names' }),
  done: z.boolean().meta({ description: 'Whether its exit condition is met; never of a manual one' }),
  error: z.string().nullable().meta({ description: 'Why it is done without all being well' }),
  revision: z.int().positive().meta({
    description: 'The number of this change among those of all sessions of the organization',
  }),
  ...statusFields,
})
export type SessionStatus = z.infer<typeof sessionStatusSchema>
export const sessionSchema = resourceSchema('Session', sessionSpecSchema, sessionStatusSchema).meta({
  id: 'Session',
})
export type Session = z.infer<typeof sessionSchema>

const reference = z.string().min(1).max(63)
const references = {
  project: reference.optional().meta({ description: 'Id or name' }),
  environment: reference.optional().meta({ description: 'Id or name' }),
  claim: reference.optional().meta({ description: 'Id or name; instead of an environment' }),
}
const oneMachine = {
  message: 'give either environment or claim',
  path: ['environment'],
}
const namesOneMachine = (spec: { environment?: string | undefined; claim?: string | undefined }) =>
  spec.environment === undefined || spec.claim === undefined

/** How long the word of a caller that it lives is good for. */
const leaseSeconds = z.int().min(5).max(3_600).default(30)

export const sessionCreateSchema = z
  .strictObject({
    name: nameSchema.optional(),
    labels: labelsSchema.default({}),
    spec: z
      .strictObject({
        ...references,
        file: fileSchema,
        exitCondition: exitConditionSchema.default('manual'),
        ci: z
          .strictObject({
            gracePeriodSeconds: ciFields.gracePeriodSeconds.default(defaultCiLimits.gracePeriodSeconds),
            timeoutSeconds: ciFields.timeoutSeconds.default(defaultCiLimits.timeoutSeconds),
            readinessTimeoutSeconds: ciFields.readinessTimeoutSeconds.default(
              defaultCiLimits.readinessTimeoutSeconds,
            ),
          })
          .optional()
          .meta({ description: 'Only with the exit condition ci' }),
        detached: z.boolean().default(false),
      })
      .refine(namesOneMachine, oneMachine)
      .refine(({ exitCondition, ci }) => exitCondition === 'ci' || ci === undefined, {
        message: 'only with the exit condition ci',
        path: ['ci'],
      })
      .refine(({ exitCondition, detached }) => exitCondition === 'ci' || !detached, {
        message: 'only with the exit condition ci: a manual session is its caller’s',
        path: ['detached'],
      }),
    processId: z.int().min(1).max(largestInteger).nullable().default(null),
    leaseSeconds,
  })
  .meta({ id: 'SessionCreate' })

export const sessionUpdateSchema = z
  .strictObject({
    spec: z
      .strictObject({
        ...references,
        desired: z.enum(['open', 'ended']).optional(),
        detached: z.boolean().optional(),
      })
      .refine(namesOneMachine, oneMachine),
  })
  .meta({ id: 'SessionUpdate' })

export const sessionRenewalSchema = z.strictObject({ leaseSeconds }).meta({ id: 'SessionRenewal' })

export const sessionKind = defineKind({
  kind: 'Session',
  schema: sessionSchema,
  summary: 'runs of `hearth up` and of CI, and what each is doing',
  hasEvents: true,
  isExplained: false,
  waits: {
    open: {
      waitsFor: 'its exit condition, or its caller to end it',
      deadlineSeconds: null,
      because: '`status.deadline` says until when: its own time limit, or the lease that its caller renews',
    },
    ended: rests,
  },
  tones: { open: 'busy', ended: 'quiet' },
})
