import { HearthError } from '@hearth/foundation'

/**
 * Passes on what comes, until nothing has come for too long or all of it takes too long. `Promise.race` with a promise that
 * stands for the end of all would keep everything that came until then.
 */
export async function* inTime<Item>(
  items: AsyncIterable<Item>,
  { uploadSeconds, stalledSeconds }: { uploadSeconds: number; stalledSeconds: number },
): AsyncGenerator<Item> {
  const iterator = items[Symbol.asyncIterator]()
  let tooLate: HearthError | null = null
  let giveUp: () => void = () => undefined
  let stalled: NodeJS.Timeout | undefined
  const total = setTimeout(() => {
    tooLate = late(`did not come whole within ${uploadSeconds} s`)
    giveUp()
  }, uploadSeconds * 1_000)
  const next = () =>
    new Promise<IteratorResult<Item>>((resolve, reject) => {
      giveUp = () => {
        if (tooLate !== null) reject(tooLate)
      }
      giveUp()
      stalled = setTimeout(() => reject(late(`stood still for ${stalledSeconds} s`)), stalledSeconds * 1_000)
      iterator.next().then(resolve, reject)
    }).finally(() => clearTimeout(stalled))
  try {
    for (;;) {
      const { done, value } = await next()
      if (done === true) return
      yield value
    }
  } finally {
    clearTimeout(total)
    // Not awaited: it would wait for what does not come.
    iterator.return?.()?.catch(() => undefined)
  }
}

const late = (what: string) => new HearthError('invalid', `body: the file ${what}: send it again`)
