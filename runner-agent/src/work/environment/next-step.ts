import type {
  BindingOrder,
  EnvironmentOrder,
  Failure,
  MachineSource,
  Notice,
  ReportedPhase,
} from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { Machine } from '../../host/machine.ts'
import { refusal } from '../fencing.ts'
import type { CommonStep } from '../work.ts'
import { nextBinding } from './binding-record.ts'
import { endCause, endFailure } from './end-failure.ts'
import { type EnvironmentRecord, firstOpenStep, isProvisioned, unreadRepository } from './record.ts'
import { mostRestartsAnHour } from './restarts.ts'

export type Wanted = Pick<
  EnvironmentOrder,
  'desiredPhase' | 'epoch' | 'generation' | 'runnerId' | 'source' | 'scrub' | 'onCrash' | 'notice'
> & { binding?: Pick<BindingOrder, 'claimId' | 'attempt'> | null | undefined }

export interface Seen {
  machine: Pick<Machine, 'power' | 'ownership' | 'endReason' | 'hostBootId'> & Partial<Pick<Machine, 'fault'>>
  record: EnvironmentRecord | null
  /** How often it was started again after a crash within the last hour. */
  restartsLately?: number
}

/** One step of the work on an environment's machine; after it the host is looked at again. */
export type MachineStep =
  /** From the snapshot, or without one from the image. */
  | { kind: 'create'; source: MachineSource | null }
  | { kind: 'start' }
  | { kind: 'start_from_memory' }
  /** End a guest whose memory cannot be used, and let it boot from the snapshot's disk. */
  | { kind: 'leave_memory' }
  /** Put the machine back to the snapshot. */
  | { kind: 'restore'; source: MachineSource }
  /** Check the identity of a provisioned guest that has booted again. */
  | { kind: 'check_guest' }
  /** Run or continue the provisioning step at this index of the record. */
  | { kind: 'provision'; index: number }
  /** Read what a repository declares that was brought up to date, and whose hooks the snapshot holds. */
  | { kind: 'read_repository'; repository: string }
  /** Bind the machine to its claim, or go on with that. */
  | { kind: 'bind' }
  /** Give a machine whose disk was put back the variables that were bound to it. */
  | { kind: 'bind_again' }
  /** Write epoch and generation into the machine's metadata before anything else is done to it. */
  | { kind: 'stamp' }
  /** Remove from the guest what it was told, before it is stopped to become a snapshot. */
  | { kind: 'scrub' }
  | { kind: 'stop' }
  /** Keep the machine's memory on the host's disk, and end it. */
  | { kind: 'suspend' }
  /** Let a suspended machine go on. */
  | { kind: 'resume' }
  | { kind: 'remove' }
  /** Remove a machine that failed before it was ready, and create it again. */
  | { kind: 'start_over' }
  /** Clear the failure of a machine that was ready once, and start it again. */
  | { kind: 'recover' }
  /** Tell whoever is in the guest. */
  | { kind: 'tell'; notice: Notice }
  /** Start a machine again that was ready and went off by itself. */
  | { kind: 'restart'; cause: string }
/** A step of environments, or a step common to all kinds of work. */
export type NextStep = MachineStep | CommonStep<ReportedPhase>

/** A pure function: the same order and the same state of the host always give the same step. */
export function nextStep(wanted: Wanted, seen: Seen): NextStep {
  const { machine, record } = seen
  const { epoch, generation } = machine.ownership ?? { epoch: 0, generation: 0 }
  if (isForeign(wanted, seen)) return { kind: 'rest', phase: 'failed', failure: foreign }
  const refused = refusal('the machine', wanted, { epoch, generation })
  if (refused !== null) return refused
  if (wanted.desiredPhase === 'deleted') {
    return machine.power === 'absent' && machine.ownership === null && record === null
      ? { kind: 'rest', phase: 'deleted', failure: null }
      : { kind: 'remove' }
  }
  // Comes first, so that an older agent or an older order finds the machine taken.
  if (machine.ownership !== null && (epoch < wanted.epoch || generation < wanted.generation)) {
    return { kind: 'stamp' }
  }
  switch (wanted.desiredPhase) {
    case 'stopped':
      return towardsStopped(wanted, seen)
    case 'suspended':
      return towardsSuspended(wanted, seen)
    case 'running':
      return telling(wanted, seen, towardsRunning(wanted, seen))
    default:
      return assertNever(wanted.desiredPhase)
  }
}

/** Only who is in a guest that is ready can be told something. */
function telling({ notice }: Wanted, { machine, record }: Seen, next: NextStep): NextStep {
  const isReady = next.kind === 'rest' && next.phase === 'running' && machine.power === 'running'
  return notice !== undefined && isReady && record !== null && record.toldNotice !== notice.key
    ? { kind: 'tell', notice }
    : next
}

function towardsStopped({ scrub, generation }: Wanted, { machine, record }: Seen): NextStep {
  // Its guest could not write down what it has in memory.
  if (machine.power === 'suspended') return { kind: 'resume' }
  const isOn = machine.power === 'running' || machine.power === 'paused'
  if (scrub === true && record?.isScrubbed !== true) {
    if (record !== null && record.failure !== null && generation <= record.failedGeneration)
      return { kind: 'rest', phase: 'failed', failure: record.failure }
    return isOn ? { kind: 'scrub' } : { kind: 'fail', failure: endedUnscrubbed }
  }
  return isOn ? { kind: 'stop' } : { kind: 'rest', phase: 'stopped', failure: null }
}

const endedUnscrubbed: Failure = {
  code: 'guest_unreachable',
  message: 'the machine ended before it was scrubbed, so its disk may hold what it was told',
}

/** Only what is ready is suspended: whatever is on its way there, or broken, comes first. */
function towardsSuspended(wanted: Wanted, seen: Seen): NextStep {
  const { machine, record } = seen
  if (machine.power === 'suspended' && sourceToRestore(wanted, seen) === null && record !== null) {
    // Recorded once the memory is known to be kept.
    return record.power === 'running'
      ? { kind: 'suspend' }
      : { kind: 'rest', phase: 'suspended', failure: null }
  }
  // What is being bound goes on when the machine does.
  const next = towardsRunning({ ...wanted, binding: null }, seen)
  if (next.kind !== 'rest' || next.phase !== 'running' || machine.power !== 'running') return next
  const fault = record?.suspensionFault ?? null
  return fault !== null && wanted.generation <= fault.generation
    ? { kind: 'rest', phase: 'running', failure: fault.failure }
    : { kind: 'suspend' }
}

function towardsRunning(wanted: Wanted, seen: Seen): NextStep {
  const { machine, record } = seen
  const restored = sourceToRestore(wanted, seen)
  if (restored !== null) return { kind: 'restore', source: restored }
  if (record !== null && record.failure !== null) {
    if (wanted.generation <= record.failedGeneration) {
      return { kind: 'rest', phase: 'failed', failure: record.failure }
    }
    return { kind: isProvisioned(record) && machine.power !== 'absent' ? 'recover' : 'start_over' }
  }
  const { power } = machine
  const create: NextStep = { kind: 'create', source: sourceToCreateFrom(wanted, record) }
  if (record?.memoryStart === 'given_up' && power !== 'absent') return { kind: 'leave_memory' }
  switch (power) {
    case 'absent':
      return record === null || (record.power === 'stopped' && !isProvisioned(record))
        ? create
        : {
            kind: 'fail',
            failure: { code: 'guest_unreachable', message: 'the machine is no longer on its host' },
          }
    case 'suspended':
      return record === null ? create : { kind: 'resume' }
    case 'shut_off':
    case 'crashed':
      if (record === null) return create
      if (record.power === 'stopped') return startOf(record)
      return towardsStarted(wanted, seen, record)
    case 'paused':
      // A machine stands still while its memory is loaded; if that was cut, it does so for ever.
      if (record?.power === 'stopped' && record.memoryStart === 'begun') return startOf(record)
      // A paused guest does not answer: the remaining steps wait until it is resumed.
      return { kind: 'rest', phase: phaseWhilePaused(record), failure: null }
    case 'running': {
      if (record === null) return create
      if (record.power === 'stopped') return startOf(record)
      if (machine.fault != null) {
        return { kind: 'fail', failure: { code: 'guest_unreachable', message: machine.fault } }
      }
      const unread = unreadRepository(record)
      if (unread !== null) return { kind: 'read_repository', repository: unread }
      const index = firstOpenStep(record.steps)
      if (index >= 0) return { kind: 'provision', index }
      if (record.identity === null) return { kind: 'check_guest' }
      const binding = nextBinding(wanted.binding, record.binding)
      if (binding !== null) return { kind: binding }
      return { kind: 'rest', phase: 'running', failure: null }
    }
    default:
      return assertNever(power)
  }
}

/** What becomes of a machine that should run and was found off. */
function towardsStarted(
  { onCrash }: Wanted,
  { machine, restartsLately = 0 }: Seen,
  record: EnvironmentRecord,
): NextStep {
  const failure = endFailure(machine, record)
  // Whoever shuts a guest down from within wants it off.
  const isWanted = machine.endReason === 'guest_shut_down' && record.hostBootId === machine.hostBootId
  if (onCrash !== 'restart' || !isProvisioned(record) || isWanted) return { kind: 'fail', failure }
  if (restartsLately < mostRestartsAnHour) return { kind: 'restart', cause: endCause(machine, record) }
  const often = `it was started again ${restartsLately} times within an hour, which is the most`
  return { kind: 'fail', failure: { ...failure, message: `${failure.message}; ${often}` } }
}

/** The snapshot that the machine has to be put back to; a failed attempt is repeated with a newer order. */
function sourceToRestore({ source, generation }: Wanted, { machine, record }: Seen): MachineSource | null {
  if (source == null || record === null || machine.power === 'absent') return null
  if (record.failure !== null && generation <= record.failedGeneration) return null
  return record.incarnation < source.incarnation ? source : null
}

/** Once the snapshot was of no use, the image is what is left. */
function sourceToCreateFrom({ source }: Wanted, record: EnvironmentRecord | null): MachineSource | null {
  return record?.startedFrom?.from === 'image' ? null : (source ?? null)
}

function startOf({ memoryStart }: EnvironmentRecord): MachineStep {
  return { kind: memoryStart === 'wanted' || memoryStart === 'begun' ? 'start_from_memory' : 'start' }
}

function isForeign(wanted: Wanted, { machine }: Seen): boolean {
  if (machine.power === 'absent' && machine.ownership === null) return false
  return machine.ownership?.owner !== wanted.runnerId
}

const foreign: Failure = {
  code: 'host_refused',
  message: 'a machine of this name is on the host and does not prove to be this runner’s: it is left alone',
}

function phaseWhilePaused(record: EnvironmentRecord | null): ReportedPhase {
  if (record === null || !isProvisioned(record)) return 'provisioning'
  return record.identity === null ? startingPhase(record) : 'running'
}

/** How a machine that was ready once gets ready again. */
export function startingPhase(record: EnvironmentRecord | null): ReportedPhase {
  return record?.isResuming === true ? 'resuming' : 'starting'
}

/** Phase reported while a step is running. */
export function phaseDuring(step: NextStep, record: EnvironmentRecord | null): ReportedPhase {
  switch (step.kind) {
    case 'rest':
      return step.phase
    case 'fail':
      return 'failed'
    case 'scrub':
    case 'stop':
      return 'stopping'
    case 'remove':
      return 'deleting'
    case 'suspend':
      return 'suspending'
    case 'resume':
      return 'resuming'
    case 'bind':
    case 'bind_again':
      return 'running'
    case 'check_guest':
      return startingPhase(record)
    case 'tell':
      return 'running'
    case 'recover':
    case 'restart':
    case 'restore':
      return 'starting'
    case 'create':
    case 'start_over':
      return 'provisioning'
    case 'provision':
    case 'read_repository':
    case 'start':
    case 'start_from_memory':
    case 'leave_memory':
    case 'stamp':
    case 'refuse':
      return record !== null && isProvisioned(record) ? 'starting' : 'provisioning'
    default:
      return assertNever(step)
  }
}
