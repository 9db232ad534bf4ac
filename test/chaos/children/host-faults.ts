import type { Layers, Machines } from '@hearth/runner-agent'
import { conditions } from './parent.ts'

const writing = ['create', 'start', 'suspend', 'stamp', 'keepRecord']
const layersWriting = ['freeze', 'flatten', 'beginCopy', 'write']

/** Takes each of these steps twice in a row, as after an unnoticed interruption. */
export function takenTwice(machines: Machines, names: readonly string[]): Machines {
  return wrapped(machines, async (name, call) => {
    if (names.includes(name)) await call()
    return call()
  })
}

/** While the parent says that the disk is full, writing fails; removing still works. */
export function diskThatFills(machines: Machines): Machines {
  return wrapped(machines, (name, call) => {
    if (!conditions.diskFull || !writing.includes(name)) return call()
    throw noSpace()
  })
}

export function layersThatFill(layers: Layers): Layers {
  return wrapped(layers, (name, call) => {
    if (!conditions.diskFull || !layersWriting.includes(name)) return call()
    throw noSpace()
  })
}

const noSpace = () => Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })

function wrapped<Target extends object>(
  target: Target,
  around: (name: string, call: () => unknown) => unknown,
): Target {
  return new Proxy(target, {
    get: (object, name) => {
      const value: unknown = Reflect.get(object, name)
      if (typeof value !== 'function' || typeof name !== 'string') return value
      const call = (...given: unknown[]): unknown => Reflect.apply(value, object, given)
      if (name === 'watch') return call
      return async (...given: unknown[]) => around(name, () => call(...given))
    },
  })
}
