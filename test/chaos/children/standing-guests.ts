import type { Machines } from '@hearth/runner-agent'
import { conditions } from './parent.ts'

/**
 * While the parent says that the disk is full, every running guest is paused, as QEMU does it on a failed write. They
 * continue when they are resumed, or with the next agent of the machines.
 */
export function guestsThatStandStill(machines: Machines): Machines {
  const standing = new Set<string>()
  const seen = <Seen extends { environmentId: string; power: string }>(machine: Seen): Seen => {
    if (!standing.has(machine.environmentId)) return machine
    if (machine.power === 'running') return { ...machine, power: 'paused', pauseReason: 'io_error' }
    standing.delete(machine.environmentId)
    return machine
  }
  const ends = <Name extends 'shutDown' | 'powerOff' | 'remove' | 'resume'>(name: Name): Machines[Name] => {
    return (environmentId, authority) => {
      standing.delete(environmentId)
      return machines[name](environmentId, authority)
    }
  }
  const changed: Partial<Machines> = {
    look: async (environmentId) => seen(await machines.look(environmentId)),
    inventory: async () => (await machines.inventory()).map(seen),
    paused: async () => {
      const running = (await machines.inventory()).filter(({ power }) => power === 'running')
      if (conditions.diskFull) for (const { environmentId } of running) standing.add(environmentId)
      const still = running.filter(({ environmentId }) => standing.has(environmentId))
      return [
        ...(await machines.paused()),
        ...still.map(({ environmentId }) => ({ environmentId, reason: 'io_error' as const })),
      ]
    },
    shutDown: ends('shutDown'),
    powerOff: ends('powerOff'),
    remove: ends('remove'),
    resume: ends('resume'),
  }
  return new Proxy(machines, {
    get: (object, name) => {
      const value: unknown = Reflect.get(name in changed ? changed : object, name)
      return typeof value === 'function'
        ? (...given: unknown[]): unknown => Reflect.apply(value, object, given)
        : value
    },
  })
}
