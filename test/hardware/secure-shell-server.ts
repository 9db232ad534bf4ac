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

/** OpenSSH's own server on a port of the loopback, which takes one new key alone and leads to this machine, as its user or another. */
export async function startSecureShellServer(
  folder: string,
  user = { name: userInfo().username, home: join(folder, 'home') },
): Promise<SecureShellServer> {
  await mkdir(folder, { mode: 0o711 })
  // Where the server gives up its rights; the package's service would have made it.
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
    // What this machine's own user has in its profile is run before every command, and may take a second.
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
