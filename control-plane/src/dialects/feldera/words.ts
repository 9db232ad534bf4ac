import {
  type PipelineProgramStatus,
  type PipelineResources,
  type PipelineResourcesDesired,
  type PipelineRuntime,
  type PipelineStorage,
  pipelinePhases,
} from '@hearth/contract'
import { z } from '@hono/zod-openapi'

/** `awaiting_approval` as `AwaitingApproval`. */
type Pascal<Text extends string> = Text extends `${infer First}_${infer Rest}`
  ? `${Capitalize<First>}${Pascal<Rest>}`
  : Capitalize<Text>

export const pascal = <Text extends string>(text: Text): Pascal<Text> =>
  text.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()) as Pascal<Text>

/** The only words that are other ones here. */
export const programWords = {
  pending: 'Pending',
  checking: 'CompilingSql',
  checked: 'SqlCompiled',
  building: 'CompilingRust',
  success: 'Success',
  check_error: 'SqlError',
  build_error: 'RustError',
  system_error: 'SystemError',
} as const satisfies Record<PipelineProgramStatus, string>

export const resourcesSchema = z.enum([
  'Stopped',
  'Provisioning',
  'Provisioned',
  'Stopping',
] satisfies Pascal<PipelineResources>[])
export const resourcesDesiredSchema = z.enum([
  'Stopped',
  'Provisioned',
] satisfies Pascal<PipelineResourcesDesired>[])
export const runtimeSchema = z.enum([
  'Unavailable',
  'Coordination',
  'Standby',
  'Initializing',
  'AwaitingApproval',
  'Bootstrapping',
  'Replaying',
  'Paused',
  'Running',
  'Suspended',
  'ConcurrentBootstrapping',
  'Synchronizing',
] satisfies Pascal<PipelineRuntime>[])
export const runtimeDesiredSchema = z.enum([
  'Unavailable',
  'Coordination',
  'Standby',
  'Paused',
  'Running',
  'Suspended',
])
export const programSchema = z.enum(Object.values(programWords))
export const storageSchema = z.enum(['Cleared', 'InUse', 'Clearing'] satisfies Pascal<PipelineStorage>[])
export const combinedSchema = z.enum(pipelinePhases.map(pascal))
export const combinedDesiredSchema = z.enum([
  'Stopped',
  'Unavailable',
  'Coordination',
  'Standby',
  'Paused',
  'Running',
  'Suspended',
])
