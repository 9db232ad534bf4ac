import { pipelineCompileSeconds, restartSchema } from '@hearth/contract'
import { found } from '../../api/lookup.ts'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { NewKeptProcess } from '../process/index.ts'
import { readProgramTexts } from './queries.ts'
import type { Role } from './scene.ts'
import { type PipelineRow, toProgramText } from './table.ts'
import { pipelineJournal, storeProgram, type ToolchainProcess, toolchainOf } from './toolchain/index.ts'

/** What tasks and services of a pipeline have alike. */
const common = {
  isDeclared: false,
  on: 'manual',
  folder: '/',
  user: 'root',
  stopSignal: 'SIGTERM',
  memoryMebibytes: null,
  cpus: null,
} as const

const once = restartSchema.parse({ policy: 'never' })
type Of = Pick<PipelineRow, 'id' | 'creator'>

function specOf({ id }: Of, role: Role, { command, variables, inputs }: ToolchainProcess) {
  return {
    ...common,
    ...{ secrets: [], dependsOn: [], graceSeconds: 10, restart: once },
    ...{ command, variables, inputs },
    keptBy: { kind: 'Pipeline' as const, id, role },
  }
}

export function compileTask(pipeline: Of, role: 'check' | 'build', work: ToolchainProcess): NewKeptProcess {
  return {
    name: `pipeline-${role}`,
    creator: pipeline.creator,
    spec: {
      kind: 'task',
      ...specOf(pipeline, role, work),
      deadlineSeconds: pipelineCompileSeconds[role],
      schedule: null,
      artifacts: [],
    },
  }
}

/** The program itself. It is not begun again by itself: what it stored is what it goes on from. */
export function runService(pipeline: Of, wish: string, work: ToolchainProcess): NewKeptProcess {
  return {
    name: 'pipeline-run',
    creator: pipeline.creator,
    spec: {
      kind: 'service',
      ...specOf(pipeline, 'run', work),
      graceSeconds: 30,
      readiness: null,
      journal: pipelineJournal,
      wish,
    },
  }
}

/** What its toolchain runs, and the program stored so that machines can be brought it. */
export async function readWork(tx: DatabaseTransaction, row: PipelineRow) {
  const text = found((await readProgramTexts(tx, [row.id])).get(row.id), 'pipeline', row.id)
  const program = await storeProgram(tx, row, toProgramText(text), row.spec.runtime)
  return { program, toolchain: toolchainOf(program.toolchain) }
}
