import { spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { chmod, type FileHandle, link, lstat, mkdir, open, unlink } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { toError } from '@hearth/foundation'

const retryMilliseconds = 25

/**
 * Runs the work while nobody else runs work of the same name in this folder, in this process or another. A lock is a
 * Unix socket in a folder that only its owner may enter: a process that has ended no longer listens, and its lock is
 * removed; a frozen process keeps its lock. This is known to work on Linux only: elsewhere the work runs without a
 * lock.
 */
export async function exclusively<Result>(
  folder: string,
  name: string,
  work: () => Promise<Result>,
): Promise<Result> {
  if (process.platform !== 'linux') return work()
  await makePrivate(folder)
  const release = await take(folder, createHash('sha256').update(name).digest('hex').slice(0, 32))
  try {
    return await work()
  } finally {
    await release()
  }
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

/** Resolves with a function that releases the lock. */
async function take(folder: string, name: string): Promise<() => Promise<void>> {
  // A socket's address holds 107 bytes, a state folder's path may be longer.
  const handle = await open(folder, 'r')
  try {
    const at = (file: string) => `/proc/self/fd/${handle.fd}/${file}`
    const own = `${name}.${randomUUID().slice(0, 8)}`
    const server = await listen(at(own))
    try {
      for (;;) {
        if (await linked(join(folder, own), join(folder, name))) {
          return async () => {
            // The name is removed before the listener: a lock with a name and no listener belongs to a process that
            // has ended.
            await unlink(join(folder, name))
            server.close()
          }
        }
        if (await isAbandoned(at(name))) await clear(folder, name, handle)
        else await delay(retryMilliseconds)
      }
    } catch (thrown) {
      server.close()
      throw thrown
    } finally {
      await unlink(join(folder, own)).catch(() => undefined)
    }
  } finally {
    await handle.close()
  }
}

function listen(address: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy())
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(address, () => resolve(server))
  })
}

async function linked(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path)
    return true
  } catch (thrown) {
    if (codeOf(thrown) === 'EEXIST') return false
    throw thrown
  }
}

/** Whether nobody listens at a lock that is there. */
function isAbandoned(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address)
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
    // The lock is gone in the meantime, or its owner is frozen: neither proves that it is abandoned.
    socket.once('error', (error) => resolve(codeOf(error) === 'ECONNREFUSED'))
  })
}

/**
 * Removes an abandoned lock, one process at a time: between the check and the removal nobody else can have replaced
 * it, since only its owner and the holder of this lock remove it, and its owner has ended.
 */
async function clear(folder: string, name: string, handle: FileHandle): Promise<void> {
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
    if (await isAbandoned(`/proc/self/fd/${handle.fd}/${name}`)) await unlink(join(folder, name))
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
