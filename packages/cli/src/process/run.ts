import { spawn } from 'node:child_process'

export interface Finished {
  /** Null when a signal ended the program. */
  exitCode: number | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  signal?: AbortSignal
  environment?: Readonly<Record<string, string | undefined>>
  folder?: string
  input?: string
  /** Time limit, after which the program and all it started are killed; exitCode is then null. */
  timeoutMilliseconds?: number
}

/** Runs a program to its end in the C locale, whatever the caller's language; throws only when it cannot be started. */
export function run(
  program: string,
  programArguments: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    // Runs in a process group of its own, so that a timeout also ends what the program started.
    const child = spawn(program, programArguments, {
      cwd: options.folder,
      env: { ...options.environment, LC_ALL: 'C', LANGUAGE: undefined },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (data: Buffer) => out.push(data))
    child.stderr.on('data', (data: Buffer) => err.push(data))
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
    const end = () => killGroup(child.pid)
    const timer =
      options.timeoutMilliseconds === undefined ? undefined : setTimeout(end, options.timeoutMilliseconds)
    options.signal?.addEventListener('abort', end, { once: true })
    const clear = () => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', end)
    }
    child.once('error', (error) => {
      clear()
      reject(error)
    })
    child.once('close', (exitCode) => {
      clear()
      resolve({ exitCode, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() })
    })
  })
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The process has ended in the meantime.
  }
}
