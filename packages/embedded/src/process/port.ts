import { createServer } from 'node:net'
import { join } from 'node:path'
import { HearthError } from '@hearth/foundation'
import { readIfPresent, writeWhole } from './file.ts'

/**
 * The loopback port a server in this folder listens on: the one asked for, else the one it had before if that is
 * still free, else any free one. The folder remembers it.
 */
export async function choosePort(folder: string, name: string, asked: number | undefined): Promise<number> {
  const file = join(folder, 'port')
  if (asked !== undefined && !(await isFree(asked))) {
    throw new HearthError(
      'unavailable',
      `port ${asked} of 127.0.0.1, meant for ${name}, is taken: stop what listens there (\`ss -ltnp\` shows it) or choose another port`,
    )
  }
  const remembered = Number(await readIfPresent(file))
  const port = asked ?? (remembered > 0 && (await isFree(remembered)) ? remembered : await freePort())
  await writeWhole(file, `${port}\n`, 0o644)
  return port
}

function isFree(port: number): Promise<boolean> {
  return listenOnce(port).then(
    () => true,
    () => false,
  )
}

/** Below those that Linux gives to outgoing connections, which may take one that is free now, and apart from guests'. */
const range = { first: 10_000, count: 10_000 }
const tries = 100

/** A loopback port that nothing listens on just now. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const port = range.first + Math.floor(Math.random() * range.count)
    if (await isFree(port)) return port
  }
  return listenOnce(0)
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address()
      const chosen = typeof address === 'object' && address !== null ? address.port : port
      server.close(() => resolve(chosen))
    })
  })
}
