import type { Host } from '@hearth/runner-agent'
import { conditions } from './parent.ts'

const writing = ['create', 'start', 'stamp', 'keepRecord']

/** Each of these steps is taken twice in a row, as after a cut that nobody noticed. */
export function takenTwice(host: Host, names: readonly string[]): Host {
  return wrapped(host, async (name, call) => {
    if (names.includes(name)) await call()
    return call()
  })
}

/** While the parent says that the disk is full, nothing can be written; removing goes on. */
export function diskThatFills(host: Host): Host {
  return wrapped(host, (name, call) => {
    if (!conditions.diskFull || !writing.includes(name)) return call()
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  })
}

function wrapped(host: Host, around: (name: string, call: () => unknown) => unknown): Host {
  return new Proxy(host, {
    get: (object, name) => {
      const value: unknown = Reflect.get(object, name)
      if (typeof value !== 'function' || typeof name !== 'string') return value
      const call = (...given: unknown[]): unknown => Reflect.apply(value, object, given)
      if (name === 'watch' || name === 'close') return call
      return async (...given: unknown[]) => around(name, () => call(...given))
    },
  })
}
