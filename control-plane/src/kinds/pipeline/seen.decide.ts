import type { EnvironmentPhase, Failure, PipelineMessage, VolumePhase } from '@hearth/contract'

/** The machine in which a pipeline is compiled, or runs. */
export interface SeenMachine {
  name: string
  phase: EnvironmentPhase
  /** Whether it is to be deleted. */
  isGoing: boolean
  /** Whether nothing is heard of its host now. */
  isSilent: boolean
  runner: string | null
  failure: Failure | null
  /** Why it has no host yet. */
  placement: string | null
}

/** A task that checks or builds the program. */
export type SeenTask =
  /** Its toolchain has none. */
  | { state: 'none' }
  | { state: 'absent' | 'working' }
  | { state: 'done'; output: string; messages: readonly PipelineMessage[] }
  /** The program was found faulty, with this exit code. */
  | { state: 'faulty'; exitCode: number; output: string; messages: readonly PipelineMessage[] }
  /** It could not be carried out. */
  | { state: 'failed'; message: string }

export interface SeenSnapshot {
  name: string
  state: 'making' | 'ready' | 'lost'
  failure: Failure | null
}

/** Where the pipeline stores. */
export interface SeenVolume {
  name: string
  phase: VolumePhase
  isGoing: boolean
  /** Whether its host was removed, and what was on it with that. */
  isLost: boolean
  failure: Failure | null
  /** Whether the present machine has it mounted; null while it is not the machine's. */
  isMounted: boolean | null
  /** What keeps the present machine from being given it, or without one its deletion; null where nothing does. */
  hindrance: string | null
}

/** The service that runs the program. */
export type SeenService =
  | { state: 'absent' }
  | { state: 'working'; waitsFor: string | null }
  | { state: 'running' }
  | { state: 'ended'; exitCode: number | null; message: string; lastLines: readonly string[] }

/** What keeps a machine from running, as the end of a sentence about it; null where nothing does, or it still starts. */
export function faultOf(machine: SeenMachine | null): string | null {
  if (machine === null) return 'its machine is gone'
  const { name, phase, isGoing, failure, isSilent, runner } = machine
  const named = `its machine ${name}`
  if (phase === 'deleted') return `${named} is gone`
  if (isGoing || phase === 'deleting') return `${named} is being deleted`
  if (phase === 'failed') return `${named} has failed: ${failure?.message ?? 'no cause was reported'}`
  if (isSilent) return null // it may be back: `runner` is waited for
  const rests = phase === 'stopped' || phase === 'stopping' || phase === 'suspended' || phase === 'suspending'
  return rests ? `${named} on runner ${runner} is ${phase}` : null
}
