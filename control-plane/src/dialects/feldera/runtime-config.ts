import { type PipelineRuntimeSettings, pipelineRuntimeSettingsSchema } from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import { validate } from '../../api/validation.ts'
import { FelderaError } from './error.ts'

type Json = Record<string, unknown>
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const without = (value: Json, names: readonly string[]): Json =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)))

/** What Hearth reads of it; the rest is handed on to the program. */
const own = [
  'workers',
  'hosts',
  'fault_tolerance',
  'storage',
  'provisioning_timeout_secs',
  'resources',
] as const

/** A runtime configuration as Hearth's. */
export function toRuntimeSettings(given: Json | null | undefined): PipelineRuntimeSettings {
  const config = given ?? {}
  const { workers, hosts, fault_tolerance, storage, provisioning_timeout_secs, resources } = config
  const { storage_mb_max } = isObject(resources) ? resources : {}
  const others = isObject(resources) ? without(resources, ['storage_mb_max']) : {}
  const said = {
    ...(workers == null ? {} : { workers }),
    ...(hosts == null ? {} : { hosts }),
    ...(fault_tolerance == null ? {} : { faultTolerance: fault_tolerance }),
    ...(storage == null ? {} : { storage }),
    storageMebibytes: storage_mb_max ?? null,
    provisioningSeconds: provisioning_timeout_secs ?? null,
    takesStandby: takesStandby(storage),
    settings: { ...without(config, own), ...(Object.keys(others).length === 0 ? {} : { resources: others }) },
  }
  if (resources != null && !isObject(resources)) throw invalid('resources: must be an object')
  try {
    return validate(
      z.object({ runtime_config: pipelineRuntimeSettingsSchema }),
      { runtime_config: said },
      'body',
    ).runtime_config
  } catch (thrown) {
    throw invalid(thrown instanceof Error ? thrown.message : String(thrown))
  }
}

const invalid = (error: string) =>
  new FelderaError(400, 'InvalidRuntimeConfig', `the runtime configuration is not valid: ${error}`, { error })

/** A standby reads what is synchronized from files, so that has to be set up. */
function takesStandby(storage: unknown): boolean {
  const backend = isObject(storage) ? storage.backend : undefined
  if (!isObject(backend) || backend.name !== 'file') return false
  const config = backend.config
  return isObject(config) && isObject(config.sync)
}

export function fromRuntimeSettings(settings: PipelineRuntimeSettings): Json {
  const { workers, hosts, faultTolerance, storage, storageMebibytes, provisioningSeconds } = settings
  const { resources } = settings.settings
  return {
    ...settings.settings,
    workers,
    hosts,
    ...(faultTolerance === undefined ? {} : { fault_tolerance: faultTolerance }),
    ...(storage === undefined ? {} : { storage }),
    provisioning_timeout_secs: provisioningSeconds,
    resources: { ...(isObject(resources) ? resources : {}), storage_mb_max: storageMebibytes },
  }
}
