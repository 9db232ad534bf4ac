import { z } from 'zod'
import { boundedLine, boundedText, countSchema } from './bounded.ts'
import { idSchema, timeSchema } from './resource.ts'
import { variableNameSchema } from './variables.ts'

/** The most that one task or service may say. The sizes are bytes of UTF-8. */
export const processLimits = {
  commandBytes: 64 * 1024,
  folderBytes: 1_024,
  variables: 128,
  valueBytes: 64 * 1024,
  secrets: 64,
  dependencies: 32,
  /** All that one says, as JSON. */
  totalBytes: 128 * 1024,
  /** Of one environment. */
  processes: 64,
} as const

/** A process's name; unique in its environment, among tasks and services together. */
export const processNameSchema = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'lower-case letters, digits and inner hyphens')

export const stopSignalSchema = z.enum([
  'SIGTERM',
  'SIGINT',
  'SIGQUIT',
  'SIGHUP',
  'SIGUSR1',
  'SIGUSR2',
  'SIGKILL',
])
export type StopSignal = z.infer<typeof stopSignalSchema>

export const restartPolicySchema = z.enum(['never', 'on-failure', 'always'])
export const restartSchema = z.strictObject({
  policy: restartPolicySchema,
  limit: z
    .int()
    .min(0)
    .max(1_000)
    .default(10)
    .meta({ description: 'How often in a row; a run that lasted ten minutes begins a new row' }),
  firstSeconds: z
    .int()
    .min(1)
    .max(3_600)
    .default(1)
    .meta({ description: 'The first pause; each is twice as long' }),
  mostSeconds: z.int().min(1).max(3_600).default(60).meta({ description: 'The longest pause' }),
})
export type Restart = z.infer<typeof restartSchema>
/** As people write it: the policy alone, or with its limits. */
export const restartInputSchema = z.union([
  restartPolicySchema.transform((policy): Restart => restartSchema.parse({ policy })),
  restartSchema,
])

const probing = {
  periodSeconds: z.int().min(1).max(300).default(2).meta({ description: 'Pause between two tries' }),
  deadlineSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(300)
    .meta({ description: 'A run that is not ready by then is ended as failed' }),
}
const portSchema = z.int().min(1).max(65_535)
/** How to tell that a service is ready. */
export const readinessSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('command'),
    command: boundedText(processLimits.commandBytes, 1).meta({ description: 'Ready when it exits with 0' }),
    ...probing,
  }),
  z.strictObject({ kind: z.literal('tcp'), port: portSchema, ...probing }),
  z.strictObject({
    kind: z.literal('http'),
    port: portSchema,
    path: boundedLine(2_048, 1)
      .regex(/^\/[\x21-\x7e]*$/, 'a path that begins with / and has no spaces')
      .default('/'),
    ...probing,
  }),
  z.strictObject({
    kind: z.literal('log'),
    contains: boundedLine(1_024, 1).meta({ description: 'Ready when a line of its output contains this' }),
    ...probing,
  }),
])
export type Readiness = z.infer<typeof readinessSchema>

const isFolder = /^\/(?!.*(?:^|\/)\.\.(?:\/|$))[^\0]*$/

/** What tasks and services have alike, as it is stored and shown. */
export const processFields = {
  command: boundedText(processLimits.commandBytes)
    .refine((text) => text.trim() !== '', 'a command')
    .meta({ description: 'Run by bash' }),
  folder: boundedLine(processLimits.folderBytes, 1)
    .regex(isFolder, 'an absolute path without ..')
    .nullable()
    .default(null)
    .meta({ description: 'Where it runs; by default the first repository, else /home' }),
  user: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/, 'a user name: letters, digits, _ . and -')
    .default('root')
    .meta({ description: 'A user of the guest' }),
  variables: z
    .record(variableNameSchema, boundedText(processLimits.valueBytes))
    .refine((variables) => Object.keys(variables).length <= processLimits.variables, {
      message: `at most ${processLimits.variables} variables`,
    })
    .default({})
    .meta({ description: 'Added to those of the environment' }),
  secrets: z
    .array(variableNameSchema)
    .max(processLimits.secrets)
    .default([])
    .meta({ description: 'Names of secrets of the project, each given as the variable of that name' }),
  stopSignal: stopSignalSchema.default('SIGTERM'),
  graceSeconds: z
    .int()
    .min(0)
    .max(3_600)
    .default(10)
    .meta({ description: 'From the signal until what is left of it is killed' }),
  memoryMebibytes: z
    .int()
    .min(4)
    .max(1_048_576)
    .nullable()
    .default(null)
    .meta({ description: 'null for no limit' }),
  cpus: z.number().min(0.01).max(256).nullable().default(null).meta({ description: 'null for no limit' }),
  dependsOn: z.array(processNameSchema).max(processLimits.dependencies).default([]).meta({
    description: 'Tasks that must have succeeded, and services that must be ready, before it starts',
  }),
} as const

/** What of one may be changed. */
export const processChangeFields = {
  command: processFields.command.optional(),
  variables: processFields.variables.unwrap().optional(),
  secrets: processFields.secrets.unwrap().optional(),
  dependsOn: processFields.dependsOn.unwrap().optional(),
} as const

/** Whether something declares it that every machine of its project has, and what. */
export const declaredFields = {
  isDeclared: z.boolean().meta({ description: 'Whether its project or a file of a repository declares it' }),
  repository: z
    .string()
    .nullable()
    .optional()
    .meta({ description: 'The repository whose hearth.yaml declares it; null where its project does' }),
  keptBy: z
    .object({ kind: z.enum(['WebApp', 'Space', 'Deployment', 'Pipeline']), id: idSchema })
    .nullable()
    .optional()
    .meta({ description: 'What has made it and sees to it; absent for one that is a person’s or declared' }),
} as const

export const processPhases = [
  'idle',
  'pending',
  'starting',
  'running',
  'restarting',
  'stopping',
  'stopped',
  'succeeded',
  'failed',
  'deleting',
] as const
export const processPhaseSchema = z.enum(processPhases)
export type ProcessPhase = z.infer<typeof processPhaseSchema>

/** Why a run ended; `lost` when its machine went down under it. */
export const runCauseSchema = z.enum([
  'exit',
  'signal',
  'deadline',
  'memory',
  'not_ready',
  'stopped',
  'lost',
  'refused',
])
export type RunCause = z.infer<typeof runCauseSchema>

/** One run of a process, from its start to its end. */
export const processRunSchema = z.object({
  number: countSchema.meta({ description: 'From 1; rises with every start and restart' }),
  startedAt: timeSchema.meta({ description: 'On the guest’s clock' }),
  readyAt: timeSchema.nullable(),
  finishedAt: timeSchema.nullable(),
  cause: runCauseSchema.nullable().meta({ description: 'Why it ended; null while it runs' }),
  exitCode: z.int().nullable(),
  signal: z.string().nullable().meta({ description: 'As in SIGKILL; null when it exited by itself' }),
  outputBytes: z.int().nonnegative().meta({ description: 'How much it printed in all' }),
  output: z.string().meta({
    description:
      'What it printed: the whole when it is small, else both ends and how much is left out between',
  }),
})
export type ProcessRun = z.infer<typeof processRunSchema>

/** What tasks and services have alike in their status. */
export const processStatusFields = {
  phase: processPhaseSchema,
  runs: countSchema.meta({ description: 'How many runs it has had' }),
  restarts: countSchema.meta({ description: 'How many of them in a row by its restart policy' }),
  run: processRunSchema.nullable().meta({ description: 'The present run, or the last one' }),
  waitsFor: z.string().nullable().meta({ description: 'What it waits for before it starts' }),
} as const

/** The log of one run goes by this in place of a step. */
export const processLogKey = (processId: string, run: number) => `process-${processId}.${run}`
/** Whether a log is that of a run, and none of a step: steps have no dash in their names. */
export const isProcessLogKey = (key: string): boolean => key.startsWith('process-')
