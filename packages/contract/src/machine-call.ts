import { z } from 'zod'
import { boundedText } from './bounded.ts'
import { callLimits, listedEntriesSchema, writeModeSchema } from './work/call.ts'

const folderHint = 'a path that does not begin with / is below the first repository of the machine'
const pathSchema = boundedText(callLimits.pathBytes, 1).meta({ description: `A path; ${folderHint}` })

export const execRequestSchema = z
  .strictObject({
    command: boundedText(callLimits.commandBytes, 1).meta({
      description: 'Bash source, run as root with the variables that steps and tasks see',
    }),
    workingDirectory: boundedText(callLimits.pathBytes)
      .default('')
      .meta({ description: `By default the first repository; ${folderHint}` }),
    timeoutSeconds: z
      .int()
      .min(1)
      .max(callLimits.longestSeconds)
      .default(callLimits.defaultSeconds)
      .meta({ description: 'It is ended then, with all that it has started' }),
  })
  .meta({ id: 'ExecRequest' })

export const execResultSchema = z
  .strictObject({
    exitCode: z.int().nullable().meta({
      description: 'As a shell gives it: 128 + the signal for one that ended it; null at the timeout',
    }),
    timedOut: z.boolean(),
    stdout: z.string(),
    stderr: z.string(),
    stdoutCut: z.boolean().meta({ description: 'Whether it printed more than what is kept' }),
    stderrCut: z.boolean(),
  })
  .meta({ id: 'ExecResult' })
export type ExecResult = z.infer<typeof execResultSchema>

export const fileReadSchema = z
  .strictObject({
    path: pathSchema,
    offset: z.int().min(0).default(0),
    length: z.int().min(1).max(callLimits.fileBytes).default(callLimits.fileBytes),
  })
  .meta({ id: 'FileRead' })

export const fileContentSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('file'),
      content: z.base64().meta({ description: 'In base64' }),
      size: z.int().meta({ description: 'Of the whole file, in bytes' }),
      sha256: z.string().nullable().meta({ description: 'Of the whole file; null for one above 64 MiB' }),
    }),
    z.strictObject({
      kind: z.literal('folder'),
      entries: listedEntriesSchema,
      entriesCut: z.boolean().meta({ description: 'Whether it has more entries' }),
    }),
  ])
  .meta({ id: 'FileContent' })
export type FileContent = z.infer<typeof fileContentSchema>

export const fileWriteSchema = z
  .strictObject({
    path: pathSchema,
    content: z
      .base64()
      .max(Math.ceil(callLimits.fileBytes / 3) * 4)
      .meta({ description: 'In base64' }),
    mode: writeModeSchema.default('createOrTruncate').meta({
      description:
        '`create` refuses a file that is there, `truncate` one that is not; `append` adds to its end. Folders on the way are made',
    }),
  })
  .meta({ id: 'FileWrite' })

export const fileWrittenSchema = z.strictObject({ bytes: z.int() }).meta({ id: 'FileWritten' })
