import {
  isProgramFaulty,
  type PipelineError,
  type PipelineProgramStatus,
  type PipelineResources,
  type PipelineResourcesDesired,
  type PipelineRuntime,
  type PipelineRuntimeDesired,
  type PipelineStorage,
} from '@hearth/contract'
import { assertNever, canonicalJson } from '@hearth/foundation'
import { placementOf } from './compile.decide.ts'
import { runtimeShown, type Told } from './runtime.decide.ts'
import { faultOf, type SeenMachine, type SeenService, type SeenVolume } from './seen.decide.ts'

/** A pipeline and what its next step depends on, without its compiling. */
export interface SeenPipeline {
  resources: PipelineResources
  desired: PipelineResourcesDesired
  runtime: PipelineRuntime | null
  runtimeDetails: unknown
  desiredRuntime: PipelineRuntimeDesired | null
  program: PipelineProgramStatus
  storage: PipelineStorage
  /** Of the provisioning. */
  deadline: Date | null
  provisioningSeconds: number
  /** Since when it has had its machine, or has not. */
  since: Date
  machine: SeenMachine | null
  volume: SeenVolume | null
  /** Whether the host of its volume has what was compiled: `absent` where it is to be copied there, `lost` where nobody has. */
  copy: { state: 'present' | 'absent' | 'coming' | 'lost' } | { state: 'failed'; message: string }
  service: SeenService
  told: Told | null
  /** Whether what is wished was told to the service. */
  isWishTold: boolean
  /** Why there is no machine yet although one was asked for. */
  waitsFor: string | null
}

export type PipelineAction =
  | { do: 'delete-volume' }
  | { do: 'storage-is-cleared' }
  | { do: 'refuse-start'; error: PipelineError }
  | { do: 'provision' }
  | { do: 'copy' } // what was compiled, to the host of the volume
  | { do: 'make-machine' }
  | { do: 'attach' }
  | { do: 'run' }
  | { do: 'be-provisioned' }
  | { do: 'show'; runtime: PipelineRuntime; details: unknown }
  | { do: 'tell' }
  | { do: 'stop'; error: PipelineError | null }
  | { do: 'return-machine' }
  | { do: 'be-stopped' }

const error = (code: string, message: string, details: unknown = null): PipelineError => ({
  code,
  message,
  details,
})

/** The next step of a pipeline; null when only an event or a time can change anything. Pure. */
export function decide(seen: SeenPipeline, now: Date): PipelineAction | null {
  switch (seen.resources) {
    case 'stopped':
      return decideStopped(seen)
    case 'provisioning':
      return decideProvisioning(seen, now)
    case 'provisioned':
      return decideProvisioned(seen, now)
    case 'stopping':
      return decideStopping(seen.machine)
    default:
      return assertNever(seen.resources)
  }
}

function decideStopped({ storage, desired, program, volume, machine }: SeenPipeline): PipelineAction | null {
  if (storage === 'clearing') {
    if (volume === null) return { do: 'storage-is-cleared' }
    return volume.isGoing || volume.hindrance !== null ? null : { do: 'delete-volume' }
  }
  if (desired === 'stopped') return null
  if (isProgramFaulty(program)) {
    const message = `its program does not compile: it is ${program.replace('_', ' ')}`
    return {
      do: 'refuse-start',
      error: error('start_failed_due_to_failed_compilation', message, { program }),
    }
  }
  // The machine in which it was compiled is given back first.
  return program === 'success' && machine === null ? { do: 'provision' } : null
}

function decideProvisioning(seen: SeenPipeline, now: Date): PipelineAction | null {
  const { desired, deadline, machine, volume, copy, service } = seen
  if (desired === 'stopped') return { do: 'stop', error: null }
  const fault =
    volumeFault(volume) ?? (machine === null ? null : machineFault(machine)) ?? serviceFault(service)
  if (fault !== null) return { do: 'stop', error: fault }
  if (deadline !== null && deadline <= now) return { do: 'stop', error: timeout(seen) }
  if (machine === null) {
    switch (copy.state) {
      case 'present':
        return { do: 'make-machine' }
      case 'absent':
        return { do: 'copy' }
      case 'coming':
        return null
      case 'lost':
        return {
          do: 'stop',
          error: error(
            'program_lost',
            'what was compiled is gone, and is compiled again: start it once more',
          ),
        }
      case 'failed':
        return {
          do: 'stop',
          error: error(
            'program_not_copied',
            `${copy.message}: start it again, which tries that once more, or compile it again`,
          ),
        }
      default:
        return assertNever(copy)
    }
  }
  if (machine.phase !== 'running' || machine.isSilent || volume === null) return null
  if (volume.isMounted === null) return volume.hindrance === null ? { do: 'attach' } : null
  if (!volume.isMounted) return null
  if (service.state === 'absent') return { do: 'run' }
  return service.state === 'running' ? { do: 'be-provisioned' } : null
}

function decideProvisioned(seen: SeenPipeline, now: Date): PipelineAction | null {
  const { desired, desiredRuntime, machine, service, told, runtime, runtimeDetails, since } = seen
  if (desired === 'stopped') return { do: 'stop', error: null }
  // All is stored: what becomes of its machine is no matter.
  if (runtime === 'suspended') return { do: 'stop', error: null }
  const fault = machineFault(machine)
  if (fault !== null) return { do: 'stop', error: fault }
  const silentRunner = machine?.isSilent === true ? (machine.runner ?? '') : null
  const shown = runtimeShown({ told, silentRunner, since }, now)
  if (shown.runtime !== runtime || !isSame(shown.details, runtimeDetails))
    return { do: 'show', runtime: shown.runtime, details: shown.details }
  // Its last line may say no more that it was suspended; its exit code does.
  if (service.state === 'ended' && service.exitCode === 0 && desiredRuntime === 'suspended')
    return { do: 'stop', error: null }
  const ended = serviceFault(service)
  if (ended !== null) return { do: 'stop', error: ended }
  return seen.isWishTold ? null : { do: 'tell' }
}

function decideStopping(machine: SeenMachine | null): PipelineAction | null {
  if (machine === null || machine.phase === 'deleted') return { do: 'be-stopped' }
  return machine.isGoing ? null : { do: 'return-machine' }
}

function machineFault(machine: SeenMachine | null): PipelineError | null {
  const fault = faultOf(machine)
  if (fault === null) return null
  return error('machine_lost', fault, machine?.failure ?? null)
}

function volumeFault(volume: SeenVolume | null): PipelineError | null {
  if (volume === null) return null
  const { name, phase, failure, isGoing, isLost, isMounted } = volume
  if (isGoing) return error('storage_lost', `its volume ${name} is being deleted`)
  // One that failed for another machine is tried again.
  const hasFailed = phase === 'failed' && isMounted !== null
  if (!isLost && !hasFailed) return null
  if (isLost)
    return error('storage_unavailable', `the host of its volume ${name} was removed: clear it to start anew`)
  const because = failure?.message ?? 'no cause was reported'
  return error('storage_unavailable', `its volume ${name} cannot be had: ${because}`, failure)
}

function serviceFault(service: SeenService): PipelineError | null {
  if (service.state !== 'ended') return null
  const { exitCode, message, lastLines } = service
  return error('runtime_ended', `its program ended: ${message}`, { exitCode, lastLines })
}

function timeout(seen: SeenPipeline): PipelineError {
  const seconds = seen.provisioningSeconds
  const waited = provisioningWaitsFor(seen)
  return error(
    'provisioning_timeout',
    `its machine was not ready within ${seconds} s: it waited for ${waited}`,
    {
      seconds,
      waitedFor: waited,
    },
  )
}

/** What provisioning waits for, as the end of a sentence. */
export function provisioningWaitsFor({
  machine,
  volume,
  copy,
  service,
  waitsFor,
}: Pick<SeenPipeline, 'machine' | 'volume' | 'copy' | 'service' | 'waitsFor'>): string {
  if (machine === null)
    return copy.state === 'present'
      ? (waitsFor ?? 'a machine')
      : 'what was compiled to be copied to the host of its volume'
  if (machine.isSilent) return `runner ${machine.runner}, which is silent`
  if (machine.phase !== 'running')
    return `machine ${machine.name} to run: it is ${machine.phase}${placementOf(machine)}`
  if (volume?.isMounted !== true)
    return volume?.hindrance ?? `volume ${volume?.name ?? ''} to be mounted: it is ${volume?.phase ?? 'gone'}`
  return (service.state === 'working' ? service.waitsFor : null) ?? 'its program to begin'
}

const isSame = (a: unknown, b: unknown) =>
  canonicalJson({ it: a ?? null }) === canonicalJson({ it: b ?? null })
