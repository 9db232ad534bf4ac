import type { Host } from '@hearth/runner-agent'
import { conditions } from './parent.ts'

/**
 * While the parent says that the disk is full, every guest that runs stands still, as QEMU has it: each write would have
 * been an error. They go on when they are resumed, or with the next agent of the host.
 */
export function guestsThatStandStill(host: Host): Host {
  const standing = new Set<string>()
  const seen = <Seen extends { environmentId: string; power: string }>(machine: Seen): Seen => {
    if (!standing.has(machine.environmentId)) return machine
    if (machine.power === 'running') return { ...machine, power: 'paused', pauseReason: 'io_error' }
    standing.delete(machine.environmentId)
    return machine
  }
  const ends = <Name extends 'shutDown' | 'powerOff' | 'remove' | 'resume'>(name: Name): Host[Name] => {
    return (environmentId, authority) => {
      standing.delete(environmentId)
      return host[name](environmentId, authority)
    }
  }
  const changed: Partial<Host> = {
    look: async (environmentId) => seen(await host.look(environmentId)),
    inventory: async () => (await host.inventory()).map(seen),
    paused: async () => {
      const running = (await host.inventory()).filter(({ power }) => power === 'running')
      if (conditions.diskFull) for (const { environmentId } of running) standing.add(environmentId)
      const still = running.filter(({ environmentId }) => standing.has(environmentId))
      return [
        ...(await host.paused()),
        ...still.map(({ environmentId }) => ({ environmentId, reason: 'io_error' as const })),
      ]
    },
    freeDiskBytes: async () => (conditions.diskFull ? 0 : host.freeDiskBytes()),
    shutDown: ends('shutDown'),
    powerOff: ends('powerOff'),
    remove: ends('remove'),
    resume: ends('resume'),
  }
  return new Proxy(host, {
    get: (object, name) => {
      const value: unknown = Reflect.get(name in changed ? changed : object, name)
      return typeof value === 'function'
        ? (...given: unknown[]): unknown => Reflect.apply(value, object, given)
        : value
    },
  })
}
