import { pipelineLimits } from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import { errorSchema } from './error.ts'
import {
  combinedDesiredSchema,
  combinedSchema,
  programSchema,
  resourcesDesiredSchema,
  resourcesSchema,
  runtimeDesiredSchema,
  runtimeSchema,
  storageSchema,
} from './words.ts'

const time = z.string()
const json = z.record(z.string(), z.unknown())
const version = z.int()

const messageSchema = z.object({
  start_line_number: z.int(),
  start_column: z.int(),
  end_line_number: z.int(),
  end_column: z.int(),
  warning: z.boolean(),
  error_type: z.string(),
  message: z.string(),
  snippet: z.string().nullable(),
})
export const programErrorSchema = z.object({
  sql_compilation: z.object({ exit_code: z.int(), messages: z.array(messageSchema) }).nullable(),
  rust_compilation: z.object({ exit_code: z.int(), stdout: z.string(), stderr: z.string() }).nullable(),
  system_error: z.string().nullable(),
})

const statusFields = {
  id: z.string(),
  name: z.string(),
  description: z.string(),
  tags: z.array(z.string()),
  created_at: time,
  version,
  platform_version: z.string(),
  program_version: version,
  refresh_version: version,
  program_status: programSchema,
  program_status_since: time,
  program_error: programErrorSchema,
  program_info: z.null(),
  storage_status: storageSchema,
  storage_status_details: z.unknown(),
  deployment_id: z.string().nullable(),
  deployment_initial: runtimeDesiredSchema.nullable(),
  deployment_status: combinedSchema,
  deployment_status_since: time,
  deployment_desired_status: combinedDesiredSchema,
  deployment_desired_status_since: time,
  deployment_error: errorSchema.nullable(),
  deployment_resources_status: resourcesSchema,
  deployment_resources_status_since: time,
  deployment_resources_status_details: z.unknown(),
  deployment_resources_desired_status: resourcesDesiredSchema,
  deployment_resources_desired_status_since: time,
  deployment_runtime_status: runtimeSchema.nullable(),
  deployment_runtime_status_since: time.nullable(),
  deployment_runtime_status_details: z.unknown(),
  deployment_runtime_desired_status: runtimeDesiredSchema.nullable(),
  deployment_runtime_desired_status_since: time.nullable(),
}
const writtenFields = {
  program_code: z.string(),
  udf_rust: z.string(),
  udf_toml: z.string(),
  program_config: json,
  runtime_config: json,
}
export const statusInfoSchema = z.object(statusFields)
export type StatusInfo = z.infer<typeof statusInfoSchema>
export const pipelineInfoSchema = z.object({ ...statusFields, ...writtenFields }).meta({ id: 'PipelineInfo' })
export type PipelineInfo = z.infer<typeof pipelineInfoSchema>
/** What a selector leaves out is not there at all. */
export const selectedInfoSchema = z
  .object({
    ...statusFields,
    ...z.object(writtenFields).partial().shape,
    connectors: z.object({ num_errors: z.int() }).optional(),
  })
  .meta({ id: 'PipelineSelectedInfo' })
export const selectorQuery = z.object({
  selector: z.enum(['all', 'status', 'status_with_connectors']).default('all'),
})
export type Selector = z.output<typeof selectorQuery>['selector']

const fields = {
  description: z
    .string()
    .max(4 * pipelineLimits.descriptionCharacters)
    .nullish(),
  tags: z.array(z.string()).nullish(),
  udf_rust: z.string().nullish(),
  udf_toml: z.string().nullish(),
  program_config: json.nullish(),
  runtime_config: json.nullish(),
}
export const postPutSchema = z
  .object({ name: z.string(), program_code: z.string(), ...fields })
  .meta({ id: 'PostPutPipeline' })
export type PostPut = z.output<typeof postPutSchema>
export const patchSchema = z
  .object({ name: z.string().nullish(), program_code: z.string().nullish(), ...fields })
  .meta({ id: 'PatchPipeline' })
export type Patch = z.output<typeof patchSchema>
