import { z } from 'zod'
import { artifactDigestSchema, artifactLimits } from '../artifact.ts'
import { boundedLine, boundedText, countSchema } from '../bounded.ts'
import {
  type ProcessRun,
  processFields,
  processLimits,
  readinessSchema,
  restartSchema,
  runCauseSchema,
} from '../process.ts'
import { idSchema } from '../resource.ts'
import { cutText, reportedTimeSchema } from './reported.ts'
import { orderEnvelopeSchema, reportEnvelopeSchema, type WorkMessages } from './work.ts'

export const processInputSchema = z.object({
  artifactId: idSchema,
  digest: artifactDigestSchema,
  bytes: z.int().min(1).max(artifactLimits.bytes),
  path: boundedLine(1_024, 1)
    .regex(/^\/(?!.*(?:^|\/)\.\.?(?:\/|$)).*[^/]$/, 'an absolute path of a file, without . and ..')
    .meta({ description: 'Where it is in the guest; its folder is root’s' }),
  user: processFields.user.unwrap().meta({ description: 'Who may read it there' }),
})
export type ProcessInput = z.infer<typeof processInputSchema>
/** Of one process. */
export const mostProcessInputs = 8

const wishBytes = 4_096

/**
 * The whole of what one task or service should be. A higher `request` than before asks for another run; the same one is
 * run once, and again only by the restart policy.
 */
export const processOrderSchema = orderEnvelopeSchema.extend({
  kind: z.literal('process'),
  organizationId: idSchema,
  environmentId: idSchema,
  name: boundedLine(63, 1),
  type: z.enum(['task', 'service']),
  desired: z.enum(['run', 'stop', 'deleted']),
  request: countSchema,
  runs: countSchema.meta({ description: 'The number of the newest run that is known: the next is higher' }),
  command: processFields.command,
  folder: boundedLine(processLimits.folderBytes, 1),
  user: z.string().max(32),
  variables: z.record(z.string(), z.string()),
  sealedSecrets: boundedText(8 * 1024 * 1024)
    .nullable()
    .meta({
      description:
        'JSON object of name to value, sealed to the runner; the context is the id. Values to mask are among them',
    }),
  secretNames: z.array(z.string()).max(processLimits.secrets).meta({ description: 'Those that it is given' }),
  stopSignal: processFields.stopSignal,
  graceSeconds: z.int().min(0).max(3_600),
  memoryMebibytes: z.int().nullable(),
  cpus: z.number().nullable(),
  deadlineSeconds: z.int().min(1).nullable(),
  restart: restartSchema,
  readiness: readinessSchema.nullable(),
  inputs: z.array(processInputSchema).max(mostProcessInputs).default([]).meta({
    description: 'Files that its agent brings into the guest before a run',
  }),
  journal: boundedLine(64, 1)
    .nullable()
    .default(null)
    .meta({ description: 'Lines of the output that begin with this are told at once, without it' }),
  wish: boundedText(wishBytes).nullable().default(null).meta({
    description: 'Kept in the file that HEARTH_WISH names to the runs; a newer one restarts nothing',
  }),
})
export type ProcessOrder = z.infer<typeof processOrderSchema>

export const processReportPhases = [
  'waiting', // its machine does not run, or does not answer
  'starting',
  'running',
  'restarting',
  'stopping',
  'ended', // no run, and none follows: `runs` says how the last one ended
  'failed',
  'deleted',
] as const

/** As a runner says it: texts are cut, and what others act on is refused where it does not fit. */
export const reportedRunSchema: z.ZodType<ProcessRun & { request: number }, unknown> = z.object({
  number: countSchema,
  request: countSchema,
  startedAt: reportedTimeSchema,
  readyAt: reportedTimeSchema.nullable(),
  finishedAt: reportedTimeSchema.nullable(),
  cause: runCauseSchema.nullable(),
  exitCode: z.int().min(0).max(255).nullable(),
  signal: z
    .string()
    .regex(/^SIG[A-Z0-9+-]{1,16}$/, 'the name of a signal')
    .nullable(),
  outputBytes: z.int().nonnegative(),
  output: cutText(16 * 1024),
})
export type ReportedRun = z.infer<typeof reportedRunSchema>

/** Bytes of what is wished of a process, and of one line of its journal; lines that one report tells. */
export const journalLimits = { lineBytes: 2_048, lines: 32 } as const

/** A line of a run's output that is told at once. It is known by its place, so that a repeat is the same line. */
export const journalLineSchema = z.object({
  run: countSchema,
  offset: z.int().nonnegative().meta({ description: 'In the output of the run' }),
  text: boundedText(journalLimits.lineBytes),
})
export type JournalLine = z.infer<typeof journalLineSchema>

/** Runs that ended between two reports are said together; the oldest are left out. */
export const mostReportedRuns = 16

export const processReportSchema = reportEnvelopeSchema.extend({
  kind: z.literal('process'),
  phase: z.enum(processReportPhases),
  /** Runs that have changed since the last report that was surely taken in, oldest first. */
  runs: z.array(reportedRunSchema).max(mostReportedRuns),
  restarts: countSchema,
  /** When the next run begins, while it is restarting. */
  nextRunAt: reportedTimeSchema.nullable().default(null),
  /** The newest lines of the present run's journal, the oldest first: whoever has some already takes the others. */
  journal: z.array(journalLineSchema).max(journalLimits.lines).default([]),
})
export type ProcessReport = z.infer<typeof processReportSchema>

export const processWork: WorkMessages<ProcessOrder, ProcessReport> = {
  kind: 'process',
  order: processOrderSchema,
  report: processReportSchema,
}
