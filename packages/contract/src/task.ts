import { z } from 'zod'
import { boundedLine } from './bounded.ts'
import { cronSchema, timeZoneSchema } from './cron.ts'
import { defineKind, rests } from './kind-definition.ts'
import {
  declaredFields,
  processChangeFields,
  processFields,
  processNameSchema,
  processStatusFields,
  restartInputSchema,
  restartSchema,
} from './process.ts'
import { idSchema, labelsSchema, resourceSchema, statusFields, timeSchema } from './resource.ts'

/** When a task begins by itself. */
export const taskTriggerSchema = z.enum(['start', 'claim', 'manual', 'cron', 'prebuild']).meta({
  description:
    'When it begins by itself: when its environment first runs, when it is claimed, never, by its schedule, or while a prebuild is made, else when its environment first runs',
})
export type TaskTrigger = z.infer<typeof taskTriggerSchema>

export const taskScheduleSchema = z.strictObject({
  cron: cronSchema.meta({
    description: 'As in crontab: minute hour day month weekday',
    example: '0 3 * * *',
  }),
  timeZone: timeZoneSchema.default('UTC').meta({
    description:
      'A time that the clock leaves out runs as soon as it goes on; one that it shows twice runs once',
  }),
  overlap: z.enum(['skip', 'queue', 'replace']).default('skip').meta({
    description: 'When it is due and still runs: it is left out, runs afterwards (once), or replaces the run',
  }),
})
export type TaskSchedule = z.infer<typeof taskScheduleSchema>

const artifactPatternSchema = boundedLine(1_024, 1).regex(
  /^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$))/,
  'a path below the folder of the task: not absolute, and without ..',
)

/** The longest that a run of a task may take, in seconds, unless it says otherwise. */
export const defaultTaskSeconds = 86_400

const fields = {
  ...processFields,
  deadlineSeconds: z
    .int()
    .min(1)
    .max(604_800)
    .default(defaultTaskSeconds)
    .meta({ description: 'How long one run may take' }),
  schedule: taskScheduleSchema.nullable().default(null),
  allowFailure: z
    .boolean()
    .optional()
    .meta({ description: 'Whether a prebuild is made all the same, with a warning, where it fails in one' }),
  artifacts: z
    .array(artifactPatternSchema)
    .max(64)
    .default([])
    .meta({ description: 'What `hearth ci` copies back: paths below its folder, with * and **' }),
} as const

/** As it is written in a project file: `on: cron` and a schedule go together. */
export const taskDefinitionInputSchema = z
  .strictObject({
    ...fields,
    on: taskTriggerSchema.optional(),
    restart: restartInputSchema.prefault('never'),
  })
  .refine(
    ({ on, schedule }) => (on === 'cron') === (schedule !== null) || (on === undefined && schedule !== null),
    {
      message: '`cron` and a schedule go together',
      path: ['on'],
    },
  )
  .transform(({ on, ...task }) => ({ ...task, on: on ?? (task.schedule === null ? 'manual' : 'cron') }))
export const taskDefinitionSchema = z.object({ ...fields, on: taskTriggerSchema, restart: restartSchema })
export type TaskDefinition = z.infer<typeof taskDefinitionSchema>

export const taskSpecSchema = taskDefinitionSchema.extend({
  environmentId: idSchema,
  desired: z.enum(['run', 'stop', 'delete']),
  request: z.int().nonnegative().meta({ description: 'Rises with every start that is asked for' }),
  ...declaredFields,
})
export const taskStatusSchema = z.object({
  ...processStatusFields,
  nextRunAt: timeSchema.nullable().meta({ description: 'When its schedule is next due' }),
  ...statusFields,
})
export const taskSchema = resourceSchema('Task', taskSpecSchema, taskStatusSchema).meta({ id: 'Task' })
export type Task = z.infer<typeof taskSchema>

/** Whose machine it runs in: an environment, or a claim's. */
export const processPlaceFields = {
  environment: z.string().min(1).max(63).optional().meta({ description: 'Id or name' }),
  claim: z.string().min(1).max(63).optional().meta({ description: 'Id or name' }),
} as const

/** A task that is made by hand begins at once, unless it is told not to. */
export const taskCreateSchema = z
  .strictObject({
    name: processNameSchema.optional(),
    labels: labelsSchema.default({}),
    spec: z
      .strictObject({
        ...processPlaceFields,
        ...fields,
        restart: restartInputSchema.prefault('never'),
        start: z.boolean().optional().meta({ description: 'By default true, unless it has a schedule' }),
      })
      .refine(({ environment, claim }) => (environment === undefined) !== (claim === undefined), {
        message: 'give either environment or claim',
        path: ['environment'],
      }),
  })
  .meta({ id: 'TaskCreate' })

/** What of one that nothing declares may be changed; what is not given stays. */
export const taskUpdateSchema = z
  .strictObject({
    labels: labelsSchema.optional(),
    spec: z.strictObject(processChangeFields).optional(),
  })
  .meta({ id: 'TaskUpdate' })

const waitsForMachine = {
  waitsFor: 'its machine to run, and what it depends on',
  deadlineSeconds: null,
  because: 'both have deadlines of their own, and `status.waitsFor` names which',
} as const
export const processWaits = {
  idle: rests,
  pending: waitsForMachine,
  starting: {
    waitsFor: 'the runner to start it, and a service to be ready',
    deadlineSeconds: null,
    because: '`status.deadline` says until when: its readiness says how long',
  },
  running: {
    waitsFor: 'its end',
    deadlineSeconds: null,
    because: 'a task’s deadline is its own, and a service runs until it is stopped',
  },
  restarting: {
    waitsFor: 'the pause before its next run',
    deadlineSeconds: null,
    because: 'the pause is its restart policy’s, an hour at most',
  },
  stopping: {
    waitsFor: 'the runner to say that it has ended',
    deadlineSeconds: null,
    because: 'after its grace it is killed',
  },
  stopped: rests,
  succeeded: rests,
  failed: rests,
  deleting: {
    waitsFor: 'the runner to end it',
    deadlineSeconds: null,
    because: 'it goes with its environment at the latest',
  },
} as const

export const taskKind = defineKind({
  kind: 'Task',
  schema: taskSchema,
  summary: 'commands in an environment that run to their end',
  hasEvents: true,
  isExplained: true,
  waits: processWaits,
  tones: { succeeded: 'good', running: 'good', failed: 'bad', idle: 'quiet', stopped: 'quiet' },
})
