import { z } from 'zod'

/** Whether there is a machine for it. */
export const pipelineResources = ['stopped', 'provisioning', 'provisioned', 'stopping'] as const
export const pipelineResourcesSchema = z.enum(pipelineResources)
export type PipelineResources = z.infer<typeof pipelineResourcesSchema>
export const pipelineResourcesDesiredSchema = z.enum(['stopped', 'provisioned'])
export type PipelineResourcesDesired = z.infer<typeof pipelineResourcesDesiredSchema>

/** What its program does, as it says itself while there is a machine; `unavailable` where it says nothing. */
export const pipelineRuntimes = [
  'unavailable',
  'coordination',
  'standby',
  'synchronizing',
  'initializing',
  'awaiting_approval',
  'bootstrapping',
  'concurrent_bootstrapping',
  'replaying',
  'paused',
  'running',
  'suspended',
] as const
export const pipelineRuntimeSchema = z.enum(pipelineRuntimes)
export type PipelineRuntime = z.infer<typeof pipelineRuntimeSchema>
export const pipelineRuntimesDesired = [
  'unavailable',
  'coordination',
  'standby',
  'paused',
  'running',
  'suspended',
] as const
export const pipelineRuntimeDesiredSchema = z.enum(pipelineRuntimesDesired)
export type PipelineRuntimeDesired = z.infer<typeof pipelineRuntimeDesiredSchema>

/** How far its program is: checked, then built. */
export const pipelinePrograms = [
  'pending',
  'checking',
  'checked',
  'building',
  'success',
  'check_error',
  'build_error',
  'system_error',
] as const
export const pipelineProgramSchema = z.enum(pipelinePrograms)
export type PipelineProgramStatus = z.infer<typeof pipelineProgramSchema>

/** Whether there is anything on its volume. */
export const pipelineStorages = ['cleared', 'in_use', 'clearing'] as const
export const pipelineStorageSchema = z.enum(pipelineStorages)
export type PipelineStorage = z.infer<typeof pipelineStorageSchema>

type Table<From extends string, To extends string = From> = Readonly<Record<From, readonly To[]>>

/** Where each may go from here. `stopped` to itself is a start that ends with an error before there is a machine. */
export const pipelineResourcesTable: Table<PipelineResources> = {
  stopped: ['stopped', 'provisioning'],
  provisioning: ['provisioned', 'stopping'],
  provisioned: ['stopping'],
  stopping: ['stopped'],
}
export const pipelineStorageTable: Table<PipelineStorage> = {
  cleared: ['in_use'],
  in_use: ['in_use', 'clearing'],
  clearing: ['clearing', 'cleared'],
}
export const pipelineProgramTable: Table<PipelineProgramStatus> = {
  pending: ['checking', 'system_error'],
  checking: ['pending', 'checked', 'check_error', 'system_error'],
  checked: ['pending', 'building'],
  building: ['pending', 'checked', 'success', 'build_error', 'system_error'],
  success: ['pending'],
  check_error: ['pending'],
  build_error: ['pending'],
  system_error: ['pending'],
}
/** What somebody may want of a runtime after what was wanted before. Only a stop and a start lead on from `suspended`. */
export const pipelineRuntimeDesiredTable: Table<PipelineRuntimeDesired> = {
  unavailable: ['unavailable'],
  coordination: ['coordination'],
  standby: ['standby', 'paused', 'running'],
  paused: ['paused', 'running', 'suspended'],
  running: ['running', 'paused', 'suspended'],
  suspended: ['suspended'],
}

/** Whether nothing follows for a program until it is changed. */
export function isProgramFaulty(status: PipelineProgramStatus): boolean {
  return status === 'check_error' || status === 'build_error' || status === 'system_error'
}

/** In one word: what its machine does or, where there is one, what its program does. */
export const pipelinePhases = ['stopped', 'provisioning', ...pipelineRuntimes, 'stopping'] as const
export const pipelinePhaseSchema = z.enum(pipelinePhases)
export type PipelinePhase = z.infer<typeof pipelinePhaseSchema>

export function pipelinePhaseOf(
  resources: PipelineResources,
  runtime: PipelineRuntime | null,
): PipelinePhase {
  return resources === 'provisioned' ? (runtime ?? 'unavailable') : resources
}
