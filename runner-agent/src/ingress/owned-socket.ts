import { chmod, rename, rm, stat } from 'node:fs/promises'
import type { Server } from 'node:net'

/** A socket of the host that this process listens on, until another one takes its path over. */
export interface OwnedSocket {
  /** Whether the path still leads here. */
  isOurs(): Promise<boolean>
  /** Removes the path, unless it leads to another process. */
  release(): Promise<void>
}

/**
 * Listens on a path, in the place of whoever does so. The path is never without a listener meanwhile; and a server that is
 * closed removes the path under which it began to listen, which is then another one.
 */
export async function listenAt(server: Server, path: string): Promise<OwnedSocket> {
  const first = `${path}.${process.pid}`
  await rm(first, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(first, () => resolve())
  })
  await chmod(first, 0o600)
  const { ino } = await stat(first)
  await rename(first, path)
  const isOurs = async () => (await stat(path).catch(() => null))?.ino === ino
  return {
    isOurs,
    release: async () => {
      if (await isOurs()) await rm(path, { force: true })
    },
  }
}
