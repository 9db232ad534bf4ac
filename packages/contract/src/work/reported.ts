import { z } from 'zod'
import { boundedLine, countSchema, startOfText } from '../bounded.ts'
import type { Address, Identity } from '../environment.ts'
import { type Failure, failureCodeSchema } from '../failure.ts'
import { type StepStatus, stepNameSchema, stepPhaseSchema } from '../provisioning-step.ts'
import { timeSchema } from '../resource.ts'
import { type RunnerFacts, virtualizationSchema } from '../runner.ts'

/*
 * What a runner says, as it is taken in. Values that others act on (names, addresses, keys, numbers) are refused when
 * they do not fit. Texts for people are cut instead, so that a long one does not lose the report it stands in. Unknown
 * keys are left out: a newer agent may send them.
 */

/** The most bytes of each message of a runner, held before it is read as JSON. */
export const mostMessageBytes = {
  presence: 128 * 1024,
  report: 1024 * 1024,
  sync: 2 * 1024 * 1024,
  log: 256 * 1024,
  call: 2 * 1024 * 1024,
} as const
/** Machines in one inventory. */
export const mostInventory = 10_000
const mostSteps = 256
const mostImages = 1_000
const mostLastLines = 100
const mostLastLinesBytes = 8 * 1024

/** A text for people: stored as far as it is storable, and at most so many bytes of it. */
export const cutText = (mostBytes: number) =>
  z.string().transform((text) => startOfText(text.toWellFormed().replaceAll('\0', '\uFFFD'), mostBytes))

/** The last of the lines, as many as have at most so many bytes together. */
function endOfLines(lines: readonly string[], mostBytes: number): string[] {
  let bytes = 0
  const tooEarly = lines.findLastIndex((line) => {
    bytes += new TextEncoder().encode(line).byteLength
    return bytes > mostBytes
  })
  return lines.slice(tooEarly + 1)
}

const hostName =
  /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/
/** A host name or an IP address, and nothing else that another program could understand. */
export const hostSchema = z.union([z.string().regex(hostName), z.ipv6()], 'a host name or an IP address')
/** One line of an OpenSSH public key: its type, the key in base64, and perhaps a comment. */
export const hostKeySchema = boundedLine(16_384).regex(
  /^[a-z0-9][a-z0-9@.-]{0,63} [A-Za-z0-9+/]+={0,2}( [ -~]*)?$/,
  'one line of an OpenSSH public key',
)
export const userNameSchema = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/, 'a user name: letters, digits, _ . and -')

/** An address as a runner may report it and the command line may write it into ssh's configuration. */
export const strictAddressSchema: z.ZodType<Address> = z.object({
  host: hostSchema,
  port: z.int().min(1).max(65_535),
  user: userNameSchema,
  hostKey: hostKeySchema,
})

/** Sent as 0000-01-01, a time would be none to PostgreSQL, and fail each statement that reckons with it. */
export const reportedTimeSchema = timeSchema.refine((time) => time >= '1970', 'a time since 1970')

export const reportedIdentitySchema: z.ZodType<Identity> = z.object({
  machineId: z.string().regex(/^[0-9a-f]{32}$/, '32 hexadecimal digits'),
  hostname: z.string().regex(hostName, 'a host name'),
  hostKeyMatches: z.boolean(),
  randomSeedFresh: z.boolean(),
  clockOffsetMilliseconds: z.number().min(-1e15).max(1e15),
  checkedAt: reportedTimeSchema,
})

/** Every fact has its schema: one without would be dropped unseen. */
const reportedFacts = {
  virtualization: virtualizationSchema,
  virtualCpus: countSchema,
  memoryMebibytes: countSchema,
  diskGibibytes: countSchema,
  images: z.array(boundedLine(255, 1)).max(mostImages),
  warnings: z.array(cutText(1_000)).max(20).optional(),
  layerAddress: z.object({ host: hostSchema, port: z.int().min(1).max(65_535) }).optional(),
  bootSlots: z.int().min(1).max(100_000).optional(),
  suspends: z.boolean().optional(),
  bringsInputs: z.boolean().optional(),
  ingress: z
    .object({
      base: z.string().regex(hostName, 'a domain'),
      port: z.int().min(1).max(65_535),
      rootCertificate: boundedLine(1_024).optional(),
    })
    .optional(),
  ingressFault: cutText(1_000).optional(),
  agentVersion: boundedLine(128),
  sealingKey: z.string().regex(/^[A-Za-z0-9+/]{43}=$/, 'an X25519 public key: base64 of 32 bytes'),
} satisfies Record<keyof RunnerFacts, z.ZodType>
export const reportedFactsSchema: z.ZodType<RunnerFacts, unknown> = z.object(reportedFacts)

/** The folder of a repository; it stands in step names, log subjects and units of the guest. */
const repositoryNameSchema = boundedLine(255, 1).regex(/^[^/\s*>]+$/, 'one name without / * > and spaces')
/** As made by `stepKey`: it is a part of a NATS subject. */
export const stepKeySchema = boundedLine(320, 1).regex(/^[^/\s*>]+$/, 'one name without / * > and spaces')

export const reportedStepsSchema: z.ZodType<StepStatus[], unknown> = z
  .array(
    z.object({
      name: stepNameSchema,
      repository: repositoryNameSchema.nullable(),
      phase: stepPhaseSchema,
      startedAt: reportedTimeSchema.nullable(),
      finishedAt: reportedTimeSchema.nullable(),
      durationMilliseconds: z.int().nonnegative().nullable(),
      exitCode: z.int().min(-1_000_000).max(2_147_483_647).nullable(),
      output: cutText(16 * 1024),
      outputBytes: z.int().nonnegative(),
      error: cutText(8 * 1024).nullable(),
    }),
  )
  .max(mostSteps)

export const reportedFailureSchema: z.ZodType<Failure, unknown> = z.object({
  code: failureCodeSchema,
  message: cutText(8 * 1024),
  step: stepNameSchema.optional(),
  lastLines: z
    .array(cutText(4 * 1024))
    .max(mostLastLines)
    .transform((lines) => endOfLines(lines, mostLastLinesBytes))
    .optional(),
})
