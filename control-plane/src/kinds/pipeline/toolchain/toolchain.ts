import { type PipelineToolchain, type ProcessInput, pipelinePort } from '@hearth/contract'
import { type ToolchainStep, toolchainFolder } from './folder.ts'
import type { StoredProgram } from './program.ts'
import { scriptOf } from './script.ts'

/** What a task or service of a pipeline runs, in the words of its order. Its folder is any, its user root. */
export interface ToolchainProcess {
  command: string
  variables: Record<string, string>
  inputs: ProcessInput[]
}

/** What checks, builds and runs the programs of one kind; null for a step that a program does not have. */
export interface Toolchain {
  check(program: StoredProgram): ToolchainProcess | null
  build(program: StoredProgram): ToolchainProcess | null
  run(program: StoredProgram): ToolchainProcess
}

/** Lines of a run's output that begin with this tell a status. */
export const pipelineJournal = 'hearth-pipeline: '
/** Where the volume of a pipeline is mounted in its machine: the only folder that a run writes to. */
export const pipelineVolumeFolder = '/srv/pipeline'
const programsFolder = '/var/lib/hearth-pipeline'

export function toolchainOf(name: PipelineToolchain): Toolchain {
  const { check, build, run } = toolchainFolder(name).steps
  const optional = (step: ToolchainStep | null) => (program: StoredProgram) => {
    const configured = step === null ? undefined : configuredOf(step, program)
    return step === null || configured === undefined ? null : processOf(step, configured, program)
  }
  return {
    check: optional(check),
    build: optional(build),
    run: (program) => {
      const configured = configuredOf(run, program)
      if (configured === undefined)
        throw new Error(`a program of toolchain ${name} was kept without a line ${run.configured}`)
      const { variables, inputs, ...process } = processOf(run, configured, program)
      const { runtime } = program
      const runtimePath = `${programsFolder}/${runtime.digest.slice(0, 32)}.json`
      const told = {
        PIPELINE_VOLUME: pipelineVolumeFolder,
        PIPELINE_JOURNAL: pipelineJournal,
        PIPELINE_RUNTIME: runtimePath,
        PORT: String(pipelinePort),
      }
      return {
        ...process,
        variables: { ...variables, ...told },
        inputs: [...inputs, { ...runtime, path: runtimePath, user: 'root' }],
      }
    },
  }
}

/** The line of its own that a program gives a step; null for a step that takes none, undefined where there is none. */
function configuredOf({ configured }: ToolchainStep, { configuration }: StoredProgram) {
  if (configured === undefined) return null
  const line = configuration[configured]
  return typeof line === 'string' ? line : undefined
}

function processOf(
  step: ToolchainStep,
  configured: string | null,
  { archive: { artifactId, digest, bytes } }: StoredProgram,
): ToolchainProcess {
  const folder = `${programsFolder}/${digest.slice(0, 32)}`
  const path = `${folder}.tar`
  return {
    command: scriptOf(step, configured),
    variables: { PIPELINE_FOLDER: folder, PIPELINE_ARCHIVE: path },
    inputs: [{ artifactId, digest, bytes, path, user: 'root' }],
  }
}
