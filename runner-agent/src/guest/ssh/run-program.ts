import type { ProgramOptions, WaitingShells } from './waiting-shell.ts'

/** Runs a program to its end; the size of its output is bounded. */
export async function runProgram(
  shells: WaitingShells,
  program: string,
  options: Omit<ProgramOptions, 'onStdout' | 'onStderr' | 'mostBytes'> & { mostBytes: number },
): Promise<{ exitCode: number; stdout: Buffer; stderr: string }> {
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  const execution = await shells.execute(program, {
    ...options,
    onStdout: (chunk) => stdout.push(chunk),
    onStderr: (chunk) => stderr.push(chunk),
  })
  const exitCode = await execution.exitCode
  return { exitCode, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString('utf8') }
}
