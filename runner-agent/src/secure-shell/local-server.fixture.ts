import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { generateSecureShellKeyPair } from './host-key.ts'

/** OpenSSH's server on this machine: a process for each connection, without a port. */
export class LocalServer {
  private readonly running = new Set<ChildProcess>()

  private constructor(
    private readonly folder: string,
    /** Of the only user who is let in. */
    readonly privateKey: string,
    readonly address: { host: string; port: number; user: string; hostKey: string },
  ) {}

  static async make(): Promise<LocalServer> {
    const folder = await mkdtemp(join(tmpdir(), 'hearth-sshd-'))
    const [user, host] = [generateSecureShellKeyPair('user'), generateSecureShellKeyPair('host')]
    const put = (name: string, text: string) => writeFile(join(folder, name), text, { mode: 0o600 })
    await put('host_key', host.privateKey)
    await put('authorized_keys', `${user.publicKey}\n`)
    const settings = [
      `HostKey ${folder}/host_key`,
      `AuthorizedKeysFile ${folder}/authorized_keys`,
      ...['PidFile none', 'StrictModes no', 'UsePAM no', 'PermitRootLogin prohibit-password'],
    ]
    await put('sshd_config', `${settings.join('\n')}\n`)
    // The folder in which sshd drops its privileges.
    if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 })
    const address = { host: 'localhost', port: 22, user: userInfo().username, hostKey: host.publicKey }
    return new LocalServer(folder, user.privateKey, address)
  }

  connect(): Duplex {
    const server = spawn('/usr/sbin/sshd', ['-i', '-e', '-f', join(this.folder, 'sshd_config')], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    this.running.add(server)
    server.once('exit', () => this.running.delete(server))
    server.stdin.on('error', () => undefined)
    return Duplex.from({ readable: server.stdout, writable: server.stdin })
  }

  /** Ends all connections at this end. */
  cut(): void {
    for (const server of this.running) server.kill('SIGKILL')
  }

  async remove(): Promise<void> {
    this.cut()
    await rm(this.folder, { recursive: true, force: true })
  }
}
