import { execFile } from 'node:child_process'

export interface CommandResult {
  exitCode: number
  stdout: string
  stderr: string
}

interface CommandOptions {
  cwd?: string
  env?: NodeJS.ProcessEnv
  input?: string
  timeoutMilliseconds?: number
}

/** Runs a program to its end, whatever its exit code; rejects when it cannot run or takes too long. */
export function attempt(
  command: readonly [string, ...string[]],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const [program, ...parameters] = command
  const { input, timeoutMilliseconds, ...rest } = options
  return new Promise((resolve, reject) => {
    const settings = { ...rest, timeout: timeoutMilliseconds ?? 200_000, maxBuffer: 64 * 1024 * 1024 }
    const child = execFile(program, parameters, settings, (error, stdout, stderr) => {
      if (error === null) resolve({ exitCode: 0, stdout, stderr })
      else if (typeof error.code === 'number') resolve({ exitCode: error.code, stdout, stderr })
      else reject(new Error(`${command.join(' ')}: ${error.message}`, { cause: error }))
    })
    // A program that ends without reading its input is judged by its exit code alone.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input ?? '')
  })
}

/** Runs a program that must succeed, and returns its output. */
export async function run(
  command: readonly [string, ...string[]],
  options: CommandOptions = {},
): Promise<string> {
  const result = await attempt(command, options)
  if (result.exitCode !== 0) {
    throw new Error(`${command.join(' ')} exited with ${result.exitCode}: ${result.stderr}${result.stdout}`)
  }
  return result.stdout
}
