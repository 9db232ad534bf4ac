import {
  isProgramFaulty,
  type PipelineProgramError,
  type PipelineProgramStatus,
  pipelineCompileSeconds,
} from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import { faultOf, type SeenMachine, type SeenSnapshot, type SeenTask } from './seen.decide.ts'

/** What the next step of compiling depends on. */
export interface SeenCompile {
  program: PipelineProgramStatus
  deadline: Date | null
  machine: SeenMachine | null
  check: SeenTask
  build: SeenTask
  snapshot: SeenSnapshot | null
  /** Why there is no machine yet although one was asked for. */
  waitsFor: string | null
}

type ProgramFault = Partial<PipelineProgramError>
export type CompileAction =
  | { do: 'make-machine' }
  | { do: 'wait-until'; deadline: Date }
  | { do: 'move'; to: Exclude<PipelineProgramStatus, 'pending'>; found?: ProgramFault }
  | { do: 'run'; task: 'check' | 'build' }
  | { do: 'freeze' }
  /** What was compiled is lost: once more, from the start. */
  | { do: 'compile-again'; because: string }
  /** The machine is not needed any more. */
  | { do: 'return-machine' }

const later = (now: Date, seconds: number) => new Date(now.getTime() + seconds * 1000)
const systemError = (system: string): CompileAction => ({
  do: 'move',
  to: 'system_error',
  found: { system },
})

/** The next step of compiling the program of a pipeline that is stopped; null when only an event or a time changes anything. */
export function decideCompile(seen: SeenCompile, now: Date): CompileAction | null {
  const { program, machine, snapshot } = seen
  if (program === 'success' && (snapshot === null || snapshot.state === 'lost'))
    return { do: 'compile-again', because: snapshot?.failure?.message ?? 'what was compiled is gone' }
  if (program === 'success' || isProgramFaulty(program)) return decideReturn(machine)
  if (seen.deadline === null) return { do: 'wait-until', deadline: later(now, pipelineCompileSeconds.all) }
  // From `checked` it goes on to `building`, where it fails.
  if (seen.deadline <= now && program !== 'checked') return systemError(lateOf(seen))
  switch (program) {
    case 'pending':
      return decidePending(machine)
    case 'checking':
      return decideCheck(seen)
    case 'checked':
      return { do: 'move', to: 'building' }
    case 'building':
      return snapshot === null ? decideBuild(seen) : decideSnapshot(snapshot)
    case 'check_error':
    case 'build_error':
    case 'system_error':
      return null
    default:
      return assertNever(program)
  }
}

function decideReturn(machine: SeenMachine | null): CompileAction | null {
  return machine === null || machine.isGoing ? null : { do: 'return-machine' }
}

function decidePending(machine: SeenMachine | null): CompileAction | null {
  if (machine === null || machine.isGoing) return { do: 'make-machine' }
  const fault = faultOf(machine)
  if (fault !== null) return systemError(fault)
  return machine.phase === 'running' && !machine.isSilent ? { do: 'move', to: 'checking' } : null
}

function decideCheck({ check, machine }: SeenCompile): CompileAction | null {
  switch (check.state) {
    case 'none':
      return { do: 'move', to: 'checked' }
    case 'done':
      return {
        do: 'move',
        to: 'checked',
        found: { check: { exitCode: 0, messages: [...check.messages] } },
      }
    case 'faulty': {
      const { exitCode, messages } = check
      return { do: 'move', to: 'check_error', found: { check: { exitCode, messages: [...messages] } } }
    }
    case 'failed':
      return systemError(check.message)
    case 'absent':
    case 'working':
      return decideTask(check.state, 'check', machine)
    default:
      return assertNever(check)
  }
}

function decideBuild({ build, machine }: SeenCompile): CompileAction | null {
  switch (build.state) {
    case 'none':
    case 'done': {
      const fault = faultOf(machine)
      if (fault !== null) return systemError(fault)
      return machine?.phase === 'running' && !machine.isSilent ? { do: 'freeze' } : null
    }
    case 'faulty': {
      const { exitCode, output } = build
      return {
        do: 'move',
        to: 'build_error',
        found: { build: { exitCode, output: '', errorOutput: output } },
      }
    }
    case 'failed':
      return systemError(build.message)
    case 'absent':
    case 'working':
      return decideTask(build.state, 'build', machine)
    default:
      return assertNever(build)
  }
}

function decideTask(
  state: 'absent' | 'working',
  task: 'check' | 'build',
  machine: SeenMachine | null,
): CompileAction | null {
  const fault = faultOf(machine)
  if (fault !== null) return systemError(fault)
  return state === 'absent' ? { do: 'run', task } : null
}

function decideSnapshot({ name, state, failure }: SeenSnapshot): CompileAction | null {
  switch (state) {
    case 'making':
      return null
    case 'ready':
      return { do: 'move', to: 'success' }
    case 'lost':
      return systemError(`snapshot ${name} could not be made: ${failure?.message ?? 'it was deleted'}`)
    default:
      return assertNever(state)
  }
}

/** What compiling waits for, as the end of a sentence. */
export function compileWaitsFor({ program, machine, snapshot, waitsFor }: SeenCompile): string {
  if (program === 'pending') {
    if (machine === null) return waitsFor ?? 'a machine'
    return `machine ${machine.name} to run: it is ${machine.phase}${placementOf(machine)}`
  }
  const silent = machine?.isSilent === true ? `, on runner ${machine.runner}, which is silent` : ''
  if (program === 'checking') return `its program to be checked${silent}`
  if (snapshot !== null) return `snapshot ${snapshot.name} to be made of what was built${silent}`
  return `its program to be built${silent}`
}

export const placementOf = ({ placement }: Pick<SeenMachine, 'placement'>) =>
  placement === null ? '' : ` (${placement})`

const lateOf = (seen: SeenCompile) =>
  `it waited until its ${pipelineCompileSeconds.all / 60} minutes were over for ${compileWaitsFor(seen)}`
