import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { IngressSettings } from '../settings.ts'

/**
 * The port of the host's loopback on which Caddy asks for itself. Where none is set, one that is free, which stays the same
 * for the agents that follow.
 */
export async function askPortOf({ askPort, folder }: IngressSettings): Promise<number> {
  if (askPort !== null) return askPort
  const path = join(folder, 'ask-port')
  const known = Number(await readFile(path, 'utf8').catch(() => ''))
  if (Number.isInteger(known) && known > 0 && known < 65_536) return known
  const port = await freePort()
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeFile(path, `${port}\n`, { mode: 0o600 })
  return port
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('the loopback has no port')
  return address.port
}
