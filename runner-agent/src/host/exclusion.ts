import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

const retryMilliseconds = 25

/**
 * Does the work while nobody else on this machine does work of the same name, in this process or another. The kernel
 * holds the name, so that it is free again the moment its process is gone, and taken as long as the process is frozen.
 * Only Linux has such names: elsewhere the work is done without.
 */
export async function exclusively<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  if (process.platform !== 'linux') return work()
  const held = await take(`\0hearth-${createHash('sha256').update(name).digest('hex')}`)
  try {
    return await work()
  } finally {
    held.close()
  }
}

async function take(address: string): Promise<Server> {
  for (;;) {
    const server = createServer()
    const taken = await new Promise<boolean>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
      )
      server.listen(address, () => resolve(true))
    })
    if (taken) return server
    await delay(retryMilliseconds)
  }
}
