import { spawn } from 'node:child_process'
import { HearthError } from '@hearth/foundation'
import { exitCodes } from '../exit-codes.ts'
import type { Invocation } from '../invocation.ts'
import { configurationFile } from './access.ts'
import { sshAlias } from './configuration.ts'

/**
 * Runs the system's ssh on the user's terminal and returns its exit status. ssh also accepts options after the host,
 * so the words may be options, a command, or both, as the user gave them.
 */
export function runSsh(
  invocation: Invocation,
  stateFolder: string,
  id: string,
  words: readonly string[],
): Promise<number> {
  const file = configurationFile(stateFolder, id)
  return new Promise((resolve, reject) => {
    const child = spawn('ssh', ['-F', file, sshAlias, ...words], {
      stdio: 'inherit',
      env: { ...invocation.config.variables },
    })
    const end = () => void child.kill('SIGTERM')
    invocation.signal.addEventListener('abort', end, { once: true })
    child.once('error', (cause) =>
      reject(new HearthError('unavailable', 'ssh is missing: apt-get install openssh-client', { cause })),
    )
    child.once('exit', (code, signal) => {
      invocation.signal.removeEventListener('abort', end)
      resolve(code ?? (signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.failure))
    })
  })
}
