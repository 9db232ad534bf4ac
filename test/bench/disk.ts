import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { latenciesOf } from './statistics.ts'
import type { Row } from './table.ts'

const page = Buffer.alloc(8_192)
const pauseMilliseconds = 20

/** Writes until disposed. */
export interface DiskWatch extends AsyncDisposable {
  /** Statistics so far. */
  rows(): Row[]
}

/**
 * Writes a page durably in a loop during a measurement: a figure that waits for the disk cannot be better than this,
 * and a shared disk has slow phases.
 */
export async function watchDisk(folder: string): Promise<DiskWatch> {
  const file = await open(join(folder, 'durable-writes'), 'w')
  const samples: number[] = []
  const stopping = new AbortController()
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      const began = performance.now()
      await file.write(page, 0, page.length, 0)
      await file.datasync()
      samples.push(performance.now() - began)
      await delay(pauseMilliseconds)
    }
    await file.close()
  })()
  return {
    rows() {
      const { p99 } = latenciesOf(samples, 1)
      const row = { floor: null, unit: 'ms', most: null }
      return [
        { measure: 'a durable write beside it, p99', hearth: p99, ...row },
        { measure: 'a durable write beside it, longest', hearth: Math.max(...samples), ...row },
      ]
    },
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await watching
    },
  }
}
