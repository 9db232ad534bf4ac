import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Address } from '@hearth/contract'
import { attempt, type CommandResult, run } from './command.ts'

/** Time limit for a guest that boots beside others on a busy machine. */
const patienceSeconds = 240

export interface KeyPair {
  /** Path of the private key; the public key is next to it, with `.pub`. */
  path: string
  publicKey: string
}

export async function newKeyPair(folder: string, name: string): Promise<KeyPair> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, name)
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', path])
  return { path, publicKey: (await readFile(`${path}.pub`, 'utf8')).trim() }
}

/** OpenSSH's client, which trusts only the pinned host key and offers only this key (and certificate). */
export async function secureShell(
  address: Address,
  login: { keyPath: string; certificate?: string },
  command: string,
  input = '',
): Promise<CommandResult> {
  const folder = await mkdtemp(join(login.keyPath, '..', 'login-'))
  const knownHosts = join(folder, 'known_hosts')
  const host = address.port === 22 ? address.host : `[${address.host}]:${address.port}`
  await writeFile(knownHosts, `${host} ${address.hostKey}\n`)
  const options = [
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    'StrictHostKeyChecking=yes',
    'GlobalKnownHostsFile=/dev/null',
    `UserKnownHostsFile=${knownHosts}`,
    `ConnectTimeout=${patienceSeconds}`,
  ]
  if (login.certificate !== undefined) {
    const certificate = join(folder, 'certificate.pub')
    await writeFile(certificate, login.certificate)
    options.push(`CertificateFile=${certificate}`)
  }
  const target = ['-p', String(address.port), `${address.user}@${address.host}`]
  const settings = options.flatMap((option) => ['-o', option])
  return attempt(['ssh', '-F', 'none', '-i', login.keyPath, ...settings, ...target, command], {
    input,
    timeoutMilliseconds: 2 * patienceSeconds * 1000,
  })
}
