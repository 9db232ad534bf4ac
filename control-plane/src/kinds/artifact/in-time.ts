import { HearthError } from '@hearth/foundation'

/** Passes on what comes, until nothing has come for too long or all of it takes too long. */
export async function* inTime<Item>(
  items: AsyncIterable<Item>,
  { uploadSeconds, stalledSeconds }: { uploadSeconds: number; stalledSeconds: number },
): AsyncGenerator<Item> {
  const iterator = items[Symbol.asyncIterator]()
  let total: NodeJS.Timeout | undefined
  const ended = new Promise<never>((_, reject) => {
    total = setTimeout(
      () => reject(late(`did not come whole within ${uploadSeconds} s`)),
      uploadSeconds * 1_000,
    )
  })
  ended.catch(() => undefined)
  try {
    for (;;) {
      let timer: NodeJS.Timeout | undefined
      const stalled = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(late(`stood still for ${stalledSeconds} s`)), stalledSeconds * 1_000)
      })
      try {
        const { done, value } = await Promise.race([iterator.next(), stalled, ended])
        if (done === true) return
        yield value
      } finally {
        clearTimeout(timer)
      }
    }
  } finally {
    clearTimeout(total)
    // Not awaited: it would wait for what does not come.
    iterator.return?.()?.catch(() => undefined)
  }
}

const late = (what: string) => new HearthError('invalid', `body: the file ${what}: send it again`)
