import type { Authority } from './authority.ts'
import type { ExclusionScope } from './exclusion-scope.ts'
import type { MachineSpecification } from './machine.ts'
import type { Machines } from './machines.ts'

/** The methods that change a machine: they take an authority as their last argument. */
type Change = {
  [Name in keyof Machines]: Parameters<Machines[Name]> extends [...unknown[], Authority] ? Name : never
}[keyof Machines]

const changes: Readonly<Record<Change, true>> = {
  create: true,
  start: true,
  startFromMemory: true,
  replaceDisk: true,
  shutDown: true,
  resume: true,
  suspend: true,
  resumeSuspended: true,
  powerOff: true,
  remove: true,
  stamp: true,
  keepRecord: true,
  rename: true,
}
const isChange = (name: PropertyKey) => Object.hasOwn(changes, name)

/**
 * The machines of a host, where only one agent at a time changes a machine, even when two agents drive the host. The
 * next agent finds the change complete, and the epoch and generation it was made under.
 */
export function exclusiveMachines(machines: Machines, exclusion: ExclusionScope): Machines {
  return new Proxy(machines, {
    get(object, name) {
      const method: unknown = Reflect.get(object, name)
      if (typeof method !== 'function') return method
      if (!isChange(name)) return method.bind(object) as unknown
      return (...given: [string | MachineSpecification, ...unknown[], Authority]) => {
        const [machine] = given
        const authority = given.at(-1) as Authority
        const id = typeof machine === 'string' ? machine : machine.environmentId
        return exclusion.machine(id, async () => {
          await authority.assertHeld()
          await Reflect.apply(method, object, given)
        })
      }
    },
  })
}
