import { spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { chmod, link, lstat, mkdir, open, readdir, unlink } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { toError } from '@hearth/foundation'

const retryMilliseconds = 25

/**
 * Runs the work while nobody else runs work of the same name in this folder, in this process or another. A lock is a
 * name of the Unix socket at which its process listens, in a folder that only its owner may enter: a process that has
 * ended no longer listens, and its lock is removed; a frozen process keeps its lock. This is known to work on Linux
 * only: elsewhere the work runs without a lock.
 */
export async function exclusively<Result>(
  folder: string,
  name: string,
  work: () => Promise<Result>,
): Promise<Result> {
  if (process.platform !== 'linux') return work()
  const path = join(folder, createHash('sha256').update(name).digest('hex').slice(0, 32))
  await take(folder, path)
  try {
    return await work()
  } finally {
    await unlink(path)
  }
}

async function take(folder: string, path: string): Promise<void> {
  for (;;) {
    const sockets = await socketFor(folder)
    switch (await linked(sockets, path)) {
      case 'taken':
        return
      case 'held':
        if (await isAbandoned(path)) await clear(folder, path)
        else await delay(retryMilliseconds)
        break
      case 'gone':
        // Somebody has removed the folder or the socket: both are made again.
        ownSockets.delete(folder)
    }
  }
}

/** This process's socket for each folder of locks. */
const ownSockets = new Map<string, Promise<string>>()

function socketFor(folder: string): Promise<string> {
  const known = ownSockets.get(folder)
  if (known !== undefined) return known
  const made = makeSocket(folder)
  ownSockets.set(folder, made)
  made.catch(() => ownSockets.delete(folder))
  return made
}

/** Listens until the process ends, beside the locks, which are further names of the same socket. */
async function makeSocket(folder: string): Promise<string> {
  const beside = join(dirname(folder), 'lock-sockets')
  await makePrivate(folder)
  await makePrivate(beside)
  for (const name of await readdir(beside)) {
    const path = join(beside, name)
    if (await isAbandoned(path)) await unlink(path).catch(() => undefined)
  }
  const path = join(beside, randomUUID())
  const server = createServer((socket) => socket.destroy())
  server.unref()
  await throughFolder(
    path,
    (address) =>
      new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(address, resolve)
      }),
  )
  return path
}

/** Restricts the folder to its owner. Throws when it belongs to another user. */
async function makePrivate(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { uid, mode } = await lstat(folder).then((found) => {
    if (!found.isDirectory()) throw new Error(`${folder} is to hold locks and is no folder`)
    return found
  })
  if (uid !== process.getuid?.()) throw new Error(`${folder} holds locks and belongs to another user`)
  if ((mode & 0o077) !== 0) await chmod(folder, 0o700)
}

/** A socket's address holds 107 bytes, a state folder's path may be longer. */
async function throughFolder<Result>(
  path: string,
  use: (address: string) => Promise<Result>,
): Promise<Result> {
  const handle = await open(dirname(path), 'r')
  try {
    return await use(`/proc/self/fd/${handle.fd}/${basename(path)}`)
  } finally {
    await handle.close()
  }
}

async function linked(own: string, path: string): Promise<'taken' | 'held' | 'gone'> {
  try {
    await link(own, path)
    return 'taken'
  } catch (thrown) {
    if (codeOf(thrown) === 'EEXIST') return 'held'
    if (codeOf(thrown) === 'ENOENT') return 'gone'
    throw thrown
  }
}

/** Whether nobody listens at a lock that is there. */
function isAbandoned(path: string): Promise<boolean> {
  return throughFolder(
    path,
    (address) =>
      new Promise((resolve) => {
        const socket = connect(address)
        socket.once('connect', () => {
          socket.destroy()
          resolve(false)
        })
        // The lock is gone in the meantime, or its owner is frozen: neither proves that it is abandoned.
        socket.once('error', (error) => resolve(codeOf(error) === 'ECONNREFUSED'))
      }),
  )
}

/**
 * Removes an abandoned lock, one process at a time: between the check and the removal nobody else can have replaced
 * it, since only its owner and the holder of this lock remove it, and its owner has ended.
 */
async function clear(folder: string, path: string): Promise<void> {
  const child = spawn('flock', [join(folder, 'clearing'), 'sh', '-c', 'echo held; cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  child.stdin.on('error', () => undefined)
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  try {
    const isHeld = await new Promise<boolean>((resolve, reject) => {
      child.once('error', reject)
      child.stdout.once('data', () => resolve(true))
      child.once('close', () => resolve(false))
    })
    if (!isHeld) throw new Error('flock ended without the lock')
    if (await isAbandoned(path)) await unlink(path)
  } catch (thrown) {
    if (codeOf(thrown) !== 'ENOENT') throw thrown
  } finally {
    child.stdin.end()
    await ended
  }
}

function codeOf(thrown: unknown): string | undefined {
  const error = toError(thrown)
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
