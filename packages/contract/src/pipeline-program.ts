import { z } from 'zod'
import { boundedText, countSchema } from './bounded.ts'
import { idSchema } from './resource.ts'

export const pipelineToolchains = ['sql', 'command'] as const
export const pipelineToolchainSchema = z.enum(pipelineToolchains).meta({
  description: 'What checks, builds and runs the program: `sql`, or lines of your own with `command`',
})
export type PipelineToolchain = z.infer<typeof pipelineToolchainSchema>

export const pipelineLimits = {
  codeBytes: 1_048_576,
  lineBytes: 16_384,
  configurationBytes: 65_536,
  tags: 50,
  tagCharacters: 50,
  descriptionCharacters: 300,
} as const

/** Seconds that compiling takes at most: each task, and all of it with the wait for a machine. */
export const pipelineCompileSeconds = { check: 600, build: 3_600, all: 7_200 } as const
/** Seconds that the machine of a pipeline may take to run its program, where the pipeline does not say. */
export const pipelineProvisioningSeconds = 600

const isOfBoundedSize = (value: unknown) =>
  new TextEncoder().encode(JSON.stringify(value)).byteLength <= pipelineLimits.configurationBytes
const tooLarge = `at most ${pipelineLimits.configurationBytes} bytes of JSON`

/** Any JSON object of a bounded size, kept as it is. */
export const pipelineConfigurationSchema = z.record(z.string(), z.unknown()).refine(isOfBoundedSize, tooLarge)
/** Any JSON of a bounded size, kept as it is. */
const anySettingSchema = z
  .unknown()
  .refine((value) => value === undefined || isOfBoundedSize(value), tooLarge)
export type PipelineConfiguration = z.infer<typeof pipelineConfigurationSchema>

const codeSchema = boundedText(pipelineLimits.codeBytes)
const fields = {
  toolchain: pipelineToolchainSchema,
  code: codeSchema.meta({ description: 'The program' }),
  udfRust: codeSchema.meta({ description: 'Functions of its own, for toolchains that take them' }),
  udfToml: codeSchema.meta({ description: 'What those depend on' }),
  configuration: pipelineConfigurationSchema.meta({
    description: 'Of the toolchain; of `command`: the lines `check`, `build` and `run`',
  }),
}

/** The program as it was sent. */
export const pipelineProgramTextSchema = z.object(fields).meta({ id: 'PipelineProgramText' })
export type PipelineProgramText = z.infer<typeof pipelineProgramTextSchema>
export const pipelineProgramInputSchema = z.strictObject({
  toolchain: fields.toolchain.default('sql'),
  code: fields.code,
  udfRust: codeSchema.default(''),
  udfToml: codeSchema.default(''),
  configuration: fields.configuration.default({}),
})
/** What is not given stays. */
export const pipelineProgramChangeSchema = z.strictObject({
  toolchain: fields.toolchain.optional(),
  code: codeSchema.optional(),
  udfRust: codeSchema.optional(),
  udfToml: codeSchema.optional(),
  configuration: fields.configuration.optional(),
})
export type PipelineProgramChange = z.output<typeof pipelineProgramChangeSchema>

/** The program without its texts, which are read by themselves. */
export const pipelineProgramSummarySchema = z.object({
  toolchain: pipelineToolchainSchema,
  codeBytes: countSchema,
  digest: z.string().meta({ description: 'SHA-256 of all that the program is, in hexadecimal digits' }),
  configuration: pipelineConfigurationSchema,
})
export type PipelineProgramSummary = z.infer<typeof pipelineProgramSummarySchema>

const lineSchema = boundedText(pipelineLimits.lineBytes, 1)
/** The configuration of a program of the toolchain `command`. */
export const commandToolchainSchema = z.strictObject({
  check: lineSchema.optional(),
  build: lineSchema.optional(),
  run: lineSchema,
})

/** A fault that a toolchain found. Lines and columns begin at 1; 0 where the place is not known. */
export const pipelineMessageSchema = z.object({
  startLine: countSchema,
  startColumn: countSchema,
  endLine: countSchema,
  endColumn: countSchema,
  isWarning: z.boolean(),
  type: z.string(),
  message: z.string(),
  snippet: z.string().nullable(),
})
export type PipelineMessage = z.infer<typeof pipelineMessageSchema>

/** How checking and building went; null for what has not ended. */
export const pipelineProgramErrorSchema = z.object({
  check: z.object({ exitCode: z.int(), messages: z.array(pipelineMessageSchema) }).nullable(),
  build: z.object({ exitCode: z.int(), output: z.string(), errorOutput: z.string() }).nullable(),
  system: z
    .string()
    .nullable()
    .meta({ description: 'Why it could not be compiled, through no fault of its own' }),
})
export type PipelineProgramError = z.infer<typeof pipelineProgramErrorSchema>
export const noProgramError: PipelineProgramError = { check: null, build: null, system: null }

/** How its program is run. */
export const pipelineRuntimeSettingsSchema = z.strictObject({
  workers: z.int().min(1).max(65_535).default(8),
  hosts: z.int().min(1).max(1).default(1).meta({ description: 'Machines that it runs on' }),
  faultTolerance: anySettingSchema.optional().meta({ description: 'Handed to the program' }),
  storage: anySettingSchema.optional().meta({ description: 'Handed to the program' }),
  storageMebibytes: z
    .int()
    .min(16)
    .max(1_048_576)
    .nullable()
    .default(null)
    .meta({ description: 'Of its volume; null for the usual size' }),
  takesStandby: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether it can be started as a standby, which follows what another one stores' }),
  provisioningSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .nullable()
    .default(null)
    .meta({ description: 'How long its machine may take; null for as long as is usual' }),
  settings: pipelineConfigurationSchema.default({}).meta({ description: 'Handed to the program as it is' }),
})
export type PipelineRuntimeSettings = z.output<typeof pipelineRuntimeSettingsSchema>

/** The settings that what is stored depends on: they change only while nothing is stored. */
export const storageBoundSettings = [
  'workers',
  'hosts',
  'faultTolerance',
  'storage',
  'storageMebibytes',
] as const satisfies readonly (keyof PipelineRuntimeSettings)[]

export const pipelineDeploymentSchema = z.object({
  id: idSchema,
  environmentId: idSchema.nullable(),
})
