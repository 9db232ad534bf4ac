import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HearthError } from '@hearth/foundation'
import { run } from '../process/run.ts'

export interface KeyPair {
  privateKeyFile: string
  /** Public key as one line, as in the .pub file. */
  publicKey: string
}

/** The user's key pair for claimed environments: created once (mode 0600) in the state folder. */
export async function keyPair(
  stateFolder: string,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<KeyPair> {
  const folder = join(stateFolder, 'ssh')
  const privateKeyFile = join(folder, 'id_ed25519')
  if (!existsSync(privateKeyFile)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const made = await run(
      'ssh-keygen',
      ['-q', '-t', 'ed25519', '-N', '', '-C', 'hearth', '-f', privateKeyFile],
      {
        environment: variables,
      },
    ).catch(() => null)
    if (made === null) {
      throw new HearthError('unavailable', 'ssh-keygen is missing: apt-get install openssh-client')
    }
    if (made.exitCode !== 0) throw new HearthError('internal', `ssh-keygen: ${made.stderr.trim()}`)
  }
  return { privateKeyFile, publicKey: readFileSync(`${privateKeyFile}.pub`, 'utf8').trim() }
}
