import { spawn } from 'node:child_process'
import { HearthError, toError } from '@hearth/foundation'
import type { ServiceUser } from './service-user.ts'

interface RunOptions {
  user?: ServiceUser
  /** `/` by default: the caller's own folder may be closed to another user. */
  folder?: string
}

/** Runs a program to its end and returns its standard output; throws with what it said when it fails. */
export function run(
  program: string,
  programArguments: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, programArguments, {
      cwd: options.folder ?? '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      ...options.user,
    })
    let output = ''
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text
    })
    child.once('error', (error) => reject(failure(program, toError(error).message, error)))
    child.once('close', (code, signal) => {
      if (code === 0) resolve(output)
      else reject(failure(program, `${(errors || output).trim()} (${signal ?? `exit code ${code}`})`))
    })
  })
}

function failure(program: string, detail: string, cause?: unknown): HearthError {
  return new HearthError('unavailable', `${program}: ${detail}`, { cause })
}
