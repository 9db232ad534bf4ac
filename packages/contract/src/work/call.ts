import { z } from 'zod'
import { boundedLine, boundedText, countSchema, positiveSchema } from '../bounded.ts'
import { idSchema } from '../resource.ts'

/*
 * What the control plane asks an agent to do in a running machine at once: to run a command, to read or write a file, or to send a
 * request to the program of a pipeline. Nothing of it is stored. The first message of an answer is one of `callReplySchema`, after as many `alive` as the call
 * takes; its bytes follow in parts.
 */

export const callLimits = {
  /** Of each of standard output and standard error; what is printed beyond is left out. */
  outputBytes: 1024 * 1024,
  /** Of a file that is read or written at once. */
  fileBytes: 1024 * 1024,
  commandBytes: 128 * 1024,
  pathBytes: 4096,
  longestSeconds: 3_600,
  defaultSeconds: 60,
  /** Of the listing of a folder. */
  listedEntries: 5_000,
} as const

export const askLimits = {
  pathBytes: 60_000,
  requestBytes: 1024 * 1024,
  /** Of an answer that is not streamed. */
  answerBytes: 256 * 1024,
  pieceBytes: 256 * 1024,
  /** How long the program is waited for until it begins to answer. */
  answerSeconds: 120,
  /** How long a piece is waited for before an empty one is sent. */
  pieceSeconds: 15,
  /** How long an answer is kept that nobody reads on. */
  keptSeconds: 30,
} as const

/** Under this a call is done once: repeats while it runs, and for some minutes, get the same answer. */
const operationSchema = z.object({
  key: z.string().regex(/^[0-9a-f]{64}$/),
  /** Of what is asked for: another request under the same key is refused. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
})

const head = { id: idSchema, runnerId: idSchema, epoch: positiveSchema, environmentId: idSchema }
const pathSchema = boundedText(callLimits.pathBytes, 1).refine((path) => path.startsWith('/'), 'absolute')

export const writeModeSchema = z.enum(['create', 'truncate', 'createOrTruncate', 'append'])
export type WriteMode = z.infer<typeof writeModeSchema>

const execSchema = z.object({
  call: z.literal('exec'),
  ...head,
  command: boundedText(callLimits.commandBytes, 1),
  folder: pathSchema,
  timeoutSeconds: z.int().min(1).max(callLimits.longestSeconds),
  operation: operationSchema.nullable(),
  /** The values that are masked in its output, sealed for the call's id; null for none. */
  sealedSecrets: z.string().nullable(),
})
const readSchema = z.object({
  call: z.literal('read'),
  ...head,
  path: pathSchema,
  offset: z.int().min(0),
  length: z.int().min(1).max(callLimits.fileBytes),
})
const writeSchema = z.object({
  call: z.literal('write'),
  ...head,
  path: pathSchema,
  content: z.base64(),
  mode: writeModeSchema,
  operation: operationSchema.nullable(),
})
const askSchema = z.object({
  call: z.literal('ask'),
  ...head,
  method: z.enum(['GET', 'POST']),
  path: boundedText(askLimits.pathBytes, 1).regex(/^\/[\x21-\x7e]*$/, 'a path of HTTP'),
  body: z.base64().nullable(),
  /** Whether what is answered is read piece by piece; else it is answered as a whole, once under a key. */
  isStreamed: z.boolean(),
  /** Whether what is answered goes on for as long as somebody listens. */
  isListening: z.boolean().default(false),
  operation: operationSchema.nullable(),
})
/** The next piece of what is answered to an `ask`, by its id; there is none for some seconds, or it is the last. */
const moreSchema = z.object({ call: z.literal('more'), ...head, ask: idSchema })
/** Nobody reads any more what is answered to an `ask`. */
const leaveSchema = z.object({ call: z.literal('leave'), ...head, ask: idSchema })
const cancelSchema = z.object({ call: z.literal('cancel'), id: idSchema, runnerId: idSchema })

export const callRequestSchema = z.discriminatedUnion('call', [
  execSchema,
  readSchema,
  writeSchema,
  askSchema,
  moreSchema,
  leaveSchema,
  cancelSchema,
])
export type CallMessage = z.infer<typeof callRequestSchema>
export type Call = Exclude<CallMessage, { call: 'cancel' }>
export type AskCall = Extract<Call, { call: 'ask' }>
export type ExecCall = Extract<Call, { call: 'exec' }>

const outputSchema = z.object({ bytes: z.int().min(0).max(callLimits.outputBytes), isCut: z.boolean() })

export const callReplySchema = z.discriminatedUnion('reply', [
  z.object({ reply: z.literal('alive') }),
  z.object({
    reply: z.literal('refused'),
    code: z.enum(['invalid', 'not_found', 'conflict', 'idempotency_mismatch', 'rate_limited', 'unavailable']),
    message: boundedLine(2_000),
  }),
  z.object({
    reply: z.literal('executed'),
    /** Null where its time was up. */
    exitCode: z.int().min(0).max(255).nullable(),
    stdout: outputSchema,
    stderr: outputSchema,
  }),
  z.object({
    reply: z.literal('file'),
    size: z.int().min(0),
    /** SHA-256 of the whole file, hexadecimal; null for a large one. */
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .nullable(),
    bytes: z.int().min(0).max(callLimits.fileBytes),
  }),
  /** Its bytes are the JSON of its entries. */
  z.object({ reply: z.literal('folder'), isCut: z.boolean(), bytes: countSchema.max(4 * 1024 * 1024) }),
  z.object({ reply: z.literal('written') }),
  z.object({
    reply: z.literal('asked'),
    /** Of HTTP. */
    status: z.int().min(200).max(599),
    isEnd: z.boolean(),
    bytes: z.int().min(0).max(askLimits.pieceBytes),
  }),
  z.object({
    reply: z.literal('piece'),
    isEnd: z.boolean(),
    bytes: z.int().min(0).max(askLimits.pieceBytes),
  }),
  z.object({ reply: z.literal('left') }),
])
export type CallReply = z.infer<typeof callReplySchema>
export type Answered = Exclude<CallReply, { reply: 'alive' | 'refused' }>

/** How many bytes follow a reply. */
export function bytesOfReply(reply: Answered): number {
  switch (reply.reply) {
    case 'executed':
      return reply.stdout.bytes + reply.stderr.bytes
    case 'file':
    case 'folder':
    case 'asked':
    case 'piece':
      return reply.bytes
    case 'written':
    case 'left':
      return 0
  }
}

export const listedEntriesSchema = z
  .array(
    z.object({
      name: z.string().min(1).max(1_024),
      isFolder: z.boolean(),
      size: z.int().min(0),
    }),
  )
  .max(callLimits.listedEntries)
export type ListedEntry = z.infer<typeof listedEntriesSchema>[number]
