import { copyFile, mkdtemp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './command.ts'
import type { KeyPair } from './secure-shell.ts'

/** An OpenSSH user certificate for a key, signed by an authority that no guest trusts. */
export async function signCertificate(
  authority: KeyPair,
  subject: KeyPair,
  principal: string,
): Promise<string> {
  const folder = await mkdtemp(join(authority.path, '..', 'signing-'))
  const copy = join(folder, 'subject.pub')
  await copyFile(`${subject.path}.pub`, copy)
  await run(['ssh-keygen', '-q', '-s', authority.path, '-I', 'forged', '-n', principal, '-V', '+1h', copy])
  return readFile(join(folder, 'subject-cert.pub'), 'utf8')
}
