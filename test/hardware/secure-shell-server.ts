import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@hearth/embedded'
import { eventually } from '@hearth/testing'
import { answers } from './ports.ts'
import { newKeyPair } from './secure-shell.ts'

export interface SecureShellServer extends AsyncDisposable {
  login: { host: string; port: number; user: string; hostKey: string; privateKey: string }
  keyPath: string
}

/** OpenSSH's server on a loopback port of this machine. It accepts one new key only, for its own user or another. */
export async function startSecureShellServer(
  folder: string,
  user = { name: userInfo().username, home: join(folder, 'home') },
): Promise<SecureShellServer> {
  await mkdir(folder, { mode: 0o711 })
  // The folder in which sshd drops its privileges; normally the package's service creates it.
  if (process.getuid?.() === 0 && !existsSync('/run/sshd')) await mkdir('/run/sshd', { mode: 0o755 })
  const hostKey = await newKeyPair(folder, 'host_key')
  const key = await newKeyPair(folder, 'login_key')
  await mkdir(user.home, { recursive: true, mode: 0o700 })
  const port = await freePort()
  const configuration = join(folder, 'sshd_config')
  const settings = [
    'ListenAddress 127.0.0.1',
    `Port ${port}`,
    `HostKey ${hostKey.path}`,
    `AuthorizedKeysFile ${key.path}.pub`,
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'PermitRootLogin prohibit-password',
    // This machine's user may have a profile that runs before every command and takes a second.
    `SetEnv HOME=${user.home}`,
  ]
  await writeFile(configuration, `${settings.join('\n')}\n`)
  const server = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', configuration], { stdio: 'ignore' })
  const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  await eventually(() => answers(port), { timeoutMilliseconds: 10_000 })
  return {
    login: {
      host: '127.0.0.1',
      port,
      user: user.name,
      hostKey: hostKey.publicKey,
      privateKey: await readFile(key.path, 'utf8'),
    },
    keyPath: key.path,
    async [Symbol.asyncDispose]() {
      server.kill('SIGTERM')
      await exited
    },
  }
}
