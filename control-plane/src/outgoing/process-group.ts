import { type ChildProcess, spawn } from 'node:child_process'
import { Deadline } from '@hearth/foundation'

export interface Program {
  command: string
  arguments: readonly string[]
  /** The program's whole environment: nothing of this process's own is passed on. */
  environment: Readonly<Record<string, string>>
}

export interface ProgramBounds {
  deadlineMilliseconds: number
  /** Limit of standard output; standard error is not read. */
  mostBytes: number
}

/**
 * How the program ended by itself; null when it could not be started or was killed for its time, its output or the
 * signal.
 */
export type ProgramEnd = { exitCode: number; output: string } | null

const memoryKibibytes = 1_048_576
const path = '/usr/local/bin:/usr/bin:/bin'
/** The program's own limits also apply when this process is killed before it can end the program. */
const bounded = `ulimit -v ${memoryKibibytes} && exec timeout --signal=KILL "$0" "$@"`

/**
 * Runs a program in a process group of its own and ends the whole group, with SIGKILL: at the deadline, when `signal`
 * aborts, when it writes too much, when the program itself ends and leaves others behind, and when this process exits.
 */
export async function runInGroup(
  program: Program,
  bounds: ProgramBounds,
  signal: AbortSignal,
): Promise<ProgramEnd> {
  using deadline = new Deadline(bounds.deadlineMilliseconds, signal)
  if (deadline.signal.aborted) return null
  const seconds = String(Math.ceil(bounds.deadlineMilliseconds / 1_000) + 1)
  return await new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', bounded, seconds, program.command, ...program.arguments], {
      detached: true,
      cwd: '/',
      env: { PATH: path, LC_ALL: 'C', ...program.environment },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const chunks: Buffer[] = []
    let bytes = 0
    let isEnded = false
    const end = () => {
      isEnded = true
      killGroup(child)
    }
    deadline.signal.addEventListener('abort', end, { once: true })
    groups.add(child)
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength
      if (bytes > bounds.mostBytes) end()
      else chunks.push(chunk)
    })
    child.on('exit', () => killGroup(child))
    child.on('error', () => {
      groups.delete(child)
      resolve(null)
    })
    child.on('close', (exitCode) => {
      groups.delete(child)
      deadline.signal.removeEventListener('abort', end)
      resolve(isEnded || exitCode === null ? null : { exitCode, output: Buffer.concat(chunks).toString() })
    })
  })
}

/** Running programs. */
const groups = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of groups) killGroup(child)
})

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // No process of the group is left.
  }
}
