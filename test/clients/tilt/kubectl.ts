import { execFile, spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { eventually } from '@hearth/testing'

/** Every kubectl on the PATH. */
export function kubectlPrograms(): string[] {
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'kubectl'))
    .filter((path) => existsSync(path))
    .map((path) => realpathSync(path))
  return [...new Set(found)]
}

export interface Ended {
  code: number
  stdout: string
  stderr: string
}

/** kubectl as a person runs it: with a kubeconfig, and a home of its own for what it remembers. */
export class Kubectl {
  constructor(
    readonly program: string,
    private readonly kubeconfigFile: string,
    private readonly home: string,
  ) {}

  run(...words: string[]): Promise<Ended> {
    return new Promise((resolve) => {
      const child = execFile(
        this.program,
        words,
        { env: this.environment(), timeout: 60_000 },
        (error, stdout, stderr) =>
          resolve({ code: error === null ? 0 : Number(child.exitCode ?? -1), stdout, stderr }),
      )
      child.stdin?.end()
    })
  }

  /** What it prints until it is ended. */
  follow(...words: string[]): Following {
    const child = spawn(this.program, words, { env: this.environment(), stdio: ['ignore', 'pipe', 'pipe'] })
    const printed = { stdout: '', stderr: '' }
    child.stdout.on('data', (piece: Buffer) => (printed.stdout += piece.toString()))
    child.stderr.on('data', (piece: Buffer) => (printed.stderr += piece.toString()))
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
    return {
      text: () => printed.stdout,
      until: (holds) =>
        eventually(async () => (holds(printed.stdout) ? printed.stdout : null), {
          timeoutMilliseconds: 30_000,
        }).catch((error: unknown) => {
          throw new Error(`kubectl printed …${printed.stdout.slice(-2_000)}\n${printed.stderr}`, {
            cause: error,
          })
        }),
      async [Symbol.asyncDispose]() {
        child.kill()
        await ended
      },
    }
  }

  private environment(): NodeJS.ProcessEnv {
    return { PATH: process.env.PATH, HOME: this.home, KUBECONFIG: this.kubeconfigFile }
  }
}

export interface Following extends AsyncDisposable {
  text(): string
  /** What it has printed once that holds. */
  until(holds: (text: string) => boolean): Promise<string>
}
