import { readdir, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@hearth/testing'
import { attempt, run } from './command.ts'

/** An unprivileged user of this host; exists until disposed. */
export class LocalUser implements AsyncDisposable {
  private constructor(
    readonly name: string,
    readonly id: number,
    readonly home: string,
  ) {}

  static async make(name: string): Promise<LocalUser> {
    // Short: libvirt's sockets are below it, and a socket's path has at most 107 bytes.
    const home = join(tmpdir(), name)
    await run(['useradd', '--system', '--create-home', '--home-dir', home, '--shell', '/bin/sh', name])
    // Without a password but not locked: sshd refuses a locked user, whatever the key.
    await run(['usermod', '--password', '*', name])
    const { stdout } = await attempt(['id', '--user', name])
    return new LocalUser(name, Number(stdout), home)
  }

  /** First ends processes that still run under its id, such as libvirt's session daemons. */
  async [Symbol.asyncDispose](): Promise<void> {
    await eventually(async () => (await this.endProcesses()) === 0, { timeoutMilliseconds: 20_000 })
    await run(['userdel', '--force', '--remove', this.name])
  }

  private async endProcesses(): Promise<number> {
    const ids = await processesOf(this.id)
    for (const id of ids) await attempt(['kill', '-KILL', String(id)])
    return ids.length
  }
}

async function processesOf(userId: number): Promise<number[]> {
  const ids = (await readdir('/proc')).map(Number).filter((id) => id > 0)
  const owners = await Promise.all(
    ids.map((id) =>
      stat(`/proc/${id}`).then(
        ({ uid }) => uid,
        () => null,
      ),
    ),
  )
  return ids.filter((_, index) => owners[index] === userId)
}
