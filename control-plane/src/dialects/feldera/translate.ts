import {
  type Pipeline,
  type PipelineCreate,
  type PipelineError,
  type PipelineProgramError,
  type PipelineProgramText,
  type PipelineUpdate,
  pipelineCreateSchema,
  pipelineUpdateSchema,
} from '@hearth/contract'
import { validate } from '../../api/validation.ts'
import type { FelderaErrorBody } from './error.ts'
import { fromRuntimeSettings, toRuntimeSettings } from './runtime-config.ts'
import type { Patch, PipelineInfo, PostPut, StatusInfo } from './schemas.ts'
import { pascal, programWords } from './words.ts'

/** The version of the interface whose names and codes these are. */
export const platformVersion = '0.337.0'

/** An error with which a pipeline stopped; a program may say codes of its own. */
export function toErrorBody(error: PipelineError | null): FelderaErrorBody | null {
  if (error === null) return null
  return { message: error.message, error_code: pascal(error.code), details: error.details ?? null }
}

function toProgramError({ check, build, system }: PipelineProgramError): PipelineInfo['program_error'] {
  return {
    sql_compilation:
      check === null
        ? null
        : {
            exit_code: check.exitCode,
            messages: check.messages.map((each) => ({
              start_line_number: each.startLine,
              start_column: each.startColumn,
              end_line_number: each.endLine,
              end_column: each.endColumn,
              warning: each.isWarning,
              error_type: each.type,
              message: each.message,
              snippet: each.snippet,
            })),
          },
    rust_compilation:
      build === null ? null : { exit_code: build.exitCode, stdout: build.output, stderr: build.errorOutput },
    system_error: system,
  }
}

/** What the selector `status` has of a pipeline. `program_info` is always null: no toolchain says it. */
export function toStatusInfo({ metadata, spec, status }: Pipeline): StatusInfo {
  const { since } = status
  const desired = spec.desired === 'stopped' ? 'stopped' : (spec.desiredRuntime ?? spec.initial ?? 'running')
  return {
    id: metadata.id,
    name: metadata.name,
    description: spec.description,
    tags: spec.tags,
    created_at: metadata.createdAt,
    version: status.version,
    platform_version: platformVersion,
    program_version: status.programVersion,
    refresh_version: status.refreshVersion,
    program_status: programWords[status.program],
    program_status_since: since.program,
    program_error: toProgramError(status.programError),
    program_info: null,
    storage_status: pascal(status.storage),
    storage_status_details: status.storageDetails ?? null,
    deployment_id: status.deployment?.id ?? null,
    deployment_initial: spec.initial === null ? null : pascal(spec.initial),
    deployment_status: pascal(status.phase),
    deployment_status_since: since.phase,
    deployment_desired_status: pascal(desired),
    deployment_desired_status_since: since.desiredPhase,
    deployment_error: toErrorBody(status.error),
    deployment_resources_status: pascal(status.resources),
    deployment_resources_status_since: since.resources,
    deployment_resources_status_details: status.resourcesDetails ?? null,
    deployment_resources_desired_status: pascal(spec.desired),
    deployment_resources_desired_status_since: since.desired,
    deployment_runtime_status: status.runtime === null ? null : pascal(status.runtime),
    deployment_runtime_status_since: since.runtime,
    deployment_runtime_status_details: status.runtimeDetails ?? null,
    deployment_runtime_desired_status: spec.desiredRuntime === null ? null : pascal(spec.desiredRuntime),
    deployment_runtime_desired_status_since: since.desiredRuntime,
  }
}

/** What a program is compiled with, where nothing else is said. */
const usualProgramConfig = {
  cache: true,
  profile: 'optimized',
  runtime_version: null,
  use_platform_compiler: false,
}

export function toPipelineInfo(pipeline: Pipeline, program: PipelineProgramText): PipelineInfo {
  return {
    ...toStatusInfo(pipeline),
    program_code: program.code,
    udf_rust: program.udfRust,
    udf_toml: program.udfToml,
    program_config: { ...usualProgramConfig, ...program.configuration },
    runtime_config: fromRuntimeSettings(pipeline.spec.runtime),
  }
}

/** A pipeline as it is made here; one that is there already keeps its toolchain and its class. */
export function toCreate({ name, ...given }: PostPut): PipelineCreate {
  const spec = {
    description: given.description ?? '',
    tags: given.tags ?? [],
    program: {
      code: given.program_code,
      udfRust: given.udf_rust ?? '',
      udfToml: given.udf_toml ?? '',
      configuration: given.program_config ?? {},
    },
    runtime: toRuntimeSettings(given.runtime_config),
  }
  return validate(pipelineCreateSchema, { name, spec }, 'body')
}

/** What replaces a pipeline, whole; what is not given is as in a new one. */
export function toReplacement(given: PostPut): PipelineUpdate {
  const { name, spec } = toCreate(given)
  const { description, tags, runtime } = spec
  const { code, udfRust, udfToml, configuration } = spec.program
  return { name, spec: { description, tags, runtime, program: { code, udfRust, udfToml, configuration } } }
}

const given = <Value>(name: string, value: Value | null | undefined) =>
  value == null ? {} : { [name]: value }

/** Only what is given, and not null, is changed. */
export function toUpdate(patch: Patch): PipelineUpdate {
  const program = {
    ...given('code', patch.program_code),
    ...given('udfRust', patch.udf_rust),
    ...given('udfToml', patch.udf_toml),
    ...given('configuration', patch.program_config),
  }
  const spec = {
    ...given('description', patch.description),
    ...given('tags', patch.tags),
    ...(Object.keys(program).length === 0 ? {} : { program }),
    ...(patch.runtime_config == null ? {} : { runtime: toRuntimeSettings(patch.runtime_config) }),
  }
  return validate(pipelineUpdateSchema, { ...given('name', patch.name), spec }, 'body')
}
