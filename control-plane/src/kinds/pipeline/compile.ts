import { noProgramError, type PipelineProgramError, type QuotaLimits } from '@hearth/contract'
import { assertNever, type Clock } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { MachineNeeds } from '../../placement/place.ts'
import { freeze, retireSnapshot } from '../snapshot/index.ts'
import type { CompileAction } from './compile.decide.ts'
import { makeMachine, returnMachine } from './machine.ts'
import { compileTask, readWork } from './processes.ts'
import { hostOfVolume } from './queries.ts'
import type { Scene } from './scene.ts'
import type { PipelineRow } from './table.ts'
import { changePipelineRow, noteWork, type PipelineChange } from './write.ts'

export interface Given {
  quotas: QuotaLimits
  clock: Clock
}

/** It starts where it was compiled, if what was compiled cannot be copied: that host has to have volumes too. */
const toCompile: MachineNeeds = {
  work: ['process', 'snapshot', 'volume'],
  volumeMebibytes: 0,
  bringsInputs: true,
}

/** Carries out one step of compiling; the row as it is then. */
export async function carryOutCompile(
  tx: DatabaseTransaction,
  row: PipelineRow,
  action: CompileAction,
  scene: Scene,
  { quotas, clock }: Given,
): Promise<PipelineRow> {
  const { now } = scene
  switch (action.do) {
    case 'make-machine': {
      const runnerId = await hostOfVolume(tx, row)
      const made = await makeMachine(tx, row, null, { quotas, needs: toCompile, runnerId, now })
      return 'waitsFor' in made
        ? noteWork(tx, row, { waitsFor: made.waitsFor })
        : changePipelineRow(tx, row, { environment_id: made.id, work: { waitsFor: null }, now })
    }
    case 'wait-until':
      return changePipelineRow(tx, row, { deadline: action.deadline, now })
    case 'move':
      return moveProgram(tx, row, action, now)
    case 'run':
      return runTask(tx, row, action.task, scene)
    case 'freeze': {
      if (scene.machine === null) throw new Error(`pipeline ${row.id} has no machine to freeze`)
      const by = { services: { clock }, caller: { principalId: null } }
      const { id } = await freeze(tx, by, scene.machine, { labels: {}, memory: true, purpose: 'pipeline' })
      return changePipelineRow(tx, row, { snapshot_id: id, now })
    }
    case 'compile-again':
      return compileAnew(tx, row, now)
    case 'return-machine':
      await returnMachine(tx, row, now)
      return changePipelineRow(tx, row, { environment_id: null, now })
    default:
      return assertNever(action)
  }
}

/** Has the program compiled from the start: what was compiled, and the machine in which that was done, go. */
export async function compileAnew(
  tx: DatabaseTransaction,
  row: PipelineRow,
  now: Date,
): Promise<PipelineRow> {
  await dropCompiled(tx, row, now)
  return changePipelineRow(tx, row, {
    ...nothingCompiled,
    status: { programError: noProgramError },
    now,
  })
}

/** What is so of a program of which nothing is compiled. */
export const nothingCompiled = {
  program: 'pending',
  environment_id: null,
  snapshot_id: null,
  deadline: null,
  work: { waitsFor: null },
} as const satisfies Omit<PipelineChange, 'now'>

/** Lets go of the machine of a pipeline that is stopped, and of what was compiled. */
export async function dropCompiled(tx: DatabaseTransaction, row: PipelineRow, now: Date): Promise<void> {
  await returnMachine(tx, row, now)
  if (row.snapshot_id !== null) await retireSnapshot(tx, row.snapshot_id, 'unused', now)
}

async function moveProgram(
  tx: DatabaseTransaction,
  row: PipelineRow,
  { to, found: faults = {} }: Extract<CompileAction, { do: 'move' }>,
  now: Date,
): Promise<PipelineRow> {
  const programError: PipelineProgramError = { ...row.status.programError, ...faults }
  const { refreshVersion } = row.status
  const isOver = to === 'success' || to === 'check_error' || to === 'build_error' || to === 'system_error'
  const tasks = to === 'checking' ? await tasksOf(tx, row) : row.work.tasks
  // Of what was not compiled nothing stays.
  const isLost = isOver && to !== 'success' && row.snapshot_id !== null
  if (isLost) await retireSnapshot(tx, row.snapshot_id ?? '', 'unused', now)
  return changePipelineRow(tx, row, {
    program: to,
    status: { programError, ...(isOver ? { refreshVersion: refreshVersion + 1 } : {}) },
    work: { tasks },
    ...(isOver ? { deadline: null } : {}),
    ...(isLost ? { snapshot_id: null } : {}),
    now,
  })
}

async function tasksOf(tx: DatabaseTransaction, row: PipelineRow): Promise<('check' | 'build')[]> {
  const { program, toolchain } = await readWork(tx, row)
  return (['check', 'build'] as const).filter((task) => toolchain[task](program) !== null)
}

async function runTask(
  tx: DatabaseTransaction,
  row: PipelineRow,
  task: 'check' | 'build',
  { kept, now }: Scene,
): Promise<PipelineRow> {
  const { program, toolchain } = await readWork(tx, row)
  const work = toolchain[task](program)
  if (work === null || kept === null) throw new Error(`pipeline ${row.id} has no ${task} to run`)
  const failure = await kept.make([compileTask(row, task, work)])
  await kept.settle()
  if (failure === null) return row
  return moveProgram(tx, row, { do: 'move', to: 'system_error', found: { system: failure.message } }, now)
}
