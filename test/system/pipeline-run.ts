import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type PipelineProgramText,
  type PipelineRuntimeSettings,
  pipelineRuntimeSettingsSchema,
} from '@hearth/contract'
import { programArchive, type ToolchainProcess, toolchainOf } from '@hearth/control-plane'
import { freePort } from '@hearth/embedded'
import { eventually } from '@hearth/testing'

export interface JournalLine {
  status: string
  details: unknown
}

/** The run of a program, as the service of its machine runs it. */
export interface PipelineRun extends AsyncDisposable {
  url: string
  wish(wish: Readonly<Record<string, unknown>>): void
  journal(): JournalLine[]
  /** Resolves when the journal says so. */
  until(status: string): Promise<void>
  /** Resolves with its exit status, when it has ended by itself. */
  ended(): Promise<number | null>
  /** Asks it to end, as the agent does, and resolves with its exit status. */
  stop(): Promise<number | null>
  /** Ends it as a machine that loses its power does. */
  kill(): Promise<void>
  output(): string
}

type Program = Pick<PipelineProgramText, 'toolchain' | 'code' | 'configuration'> & {
  /** How it is to be run, where anything is said of that. */
  runtime?: Partial<PipelineRuntimeSettings>
}

/** What a step of a toolchain is, with a folder in the place of those of a machine. */
export function stepsIn(folder: string, { toolchain, code, configuration, runtime = {} }: Program) {
  const content = programArchive({ toolchain, code, configuration, udfRust: '', udfToml: '' })
  const digest = createHash('sha256').update(content).digest('hex')
  const archivePath = join(folder, `${digest}.tar`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(archivePath, content)
  const archive = { artifactId: '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11', digest, bytes: content.length }
  const settings = { ...archive, digest: 'ef'.repeat(32) }
  const program = { toolchain, configuration, archive, runtime: settings }
  const here = (step: ToolchainProcess | null) => {
    if (step === null) return null
    const variables: Record<string, string> = {
      ...step.variables,
      PIPELINE_FOLDER: join(folder, digest),
      PIPELINE_ARCHIVE: archivePath,
    }
    const brought = step.inputs.find((input) => input.digest === settings.digest)
    if (brought !== undefined) {
      const runtimePath = join(folder, 'runtime.json')
      writeFileSync(runtimePath, JSON.stringify(pipelineRuntimeSettingsSchema.parse(runtime)))
      for (const [name, value] of Object.entries(step.variables))
        if (value === brought.path) variables[name] = runtimePath
    }
    return { command: step.command, variables }
  }
  const { check, build, run } = toolchainOf(toolchain)
  return { check: here(check(program)), build: here(build(program)), run: here(run(program)) }
}

/** Variables with which Python prints `synced` whenever it has had all that is in memory written to the disks. */
export function tellingOfSync(folder: string): Record<string, string> {
  mkdirSync(folder, { recursive: true })
  const wrapped = ['import os', 'sync = os.sync', 'os.sync = lambda: (sync(), os.write(1, b"synced\\n"))']
  writeFileSync(join(folder, 'sitecustomize.py'), wrapped.join('\n'))
  return { PYTHONPATH: folder }
}

export async function startPipelineRun(
  folder: string,
  program: Program,
  wish: Readonly<Record<string, unknown>>,
  variables: Readonly<Record<string, string>> = {},
): Promise<PipelineRun> {
  const { run } = stepsIn(folder, program)
  if (run === null) throw new Error('every toolchain runs its programs')
  const wishPath = join(folder, 'wish.json')
  const setWish = (wished: Readonly<Record<string, unknown>>) => {
    writeFileSync(`${wishPath}.new`, JSON.stringify(wished))
    renameSync(`${wishPath}.new`, wishPath)
  }
  setWish(wish)
  const port = await freePort()
  const child: ChildProcess = spawn('bash', ['-c', run.command], {
    env: {
      PATH: process.env.PATH,
      ...run.variables,
      ...variables,
      PORT: String(port),
      HEARTH_WISH: wishPath,
      PIPELINE_VOLUME: join(folder, 'volume'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  const prefix = run.variables.PIPELINE_JOURNAL ?? ''
  const journal = () =>
    output
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith(prefix))
      .map((line) => JSON.parse(line.slice(prefix.length)) as JournalLine)
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (child.exitCode === null) child.kill(signal)
    return exited
  }
  const kill = async () => {
    await end('SIGKILL')
  }
  return {
    url: `http://127.0.0.1:${port}`,
    wish: setWish,
    journal,
    until: async (status) => {
      await eventually(async () => (journal().at(-1)?.status === status ? true : null), {
        timeoutMilliseconds: 20_000,
      })
    },
    ended: () => exited,
    stop: () => end('SIGTERM'),
    kill,
    output: () => output,
    [Symbol.asyncDispose]: kill,
  }
}
