import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Address } from '@hearth/contract'
import { attempt } from '../hardware/command.ts'

/** OpenSSH's client over one connection that stays open. */
export class OpenConnection implements AsyncDisposable {
  private constructor(private readonly parameters: readonly string[]) {}

  static async to(address: Address, keyPath: string, folder: string): Promise<OpenConnection> {
    const knownHosts = join(folder, 'measured_known_hosts')
    await writeFile(knownHosts, `[${address.host}]:${address.port} ${address.hostKey}\n`)
    const options = [
      'BatchMode=yes',
      'IdentityAgent=none',
      `UserKnownHostsFile=${knownHosts}`,
      `ControlPath=${join(folder, 'measured_connection')}`,
    ].flatMap((option) => ['-o', option])
    const target = ['-i', keyPath, '-p', String(address.port), `${address.user}@${address.host}`]
    const parameters = ['-F', 'none', ...options, ...target]
    const opened = spawn('ssh', ['-M', '-N', '-f', ...parameters], { stdio: 'ignore' })
    const [status] = (await once(opened, 'exit')) as [number]
    if (status !== 0) throw new Error(`ssh ended with ${status}`)
    const connection = new OpenConnection(parameters)
    await connection.run('true')
    return connection
  }

  async run(command: string): Promise<void> {
    const { exitCode, stderr } = await attempt(['ssh', ...this.parameters, command])
    if (exitCode !== 0) throw new Error(`ssh exited with ${exitCode}: ${stderr}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await attempt(['ssh', '-O', 'exit', ...this.parameters])
  }
}
