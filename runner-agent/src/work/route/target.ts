import type { GuestMachine } from '../../guest/guest.ts'
import type { Machine, Power } from '../../host/machine.ts'
import type { Target } from '../../ingress/served-route.ts'
import type { RouteContext } from './route-context.ts'

/** Where the requests of a route go now. */
export async function targetOf(
  { id, environmentId, port }: { id: string; environmentId: string; port: number },
  { machines, ingress, openPort }: Pick<RouteContext, 'machines' | 'ingress' | 'openPort'>,
): Promise<Target> {
  const machine = await machines.look(environmentId)
  if (machine.power !== 'running') return offAs(machine.power)
  const address = await machines.reach(environmentId, port)
  if (address !== null) return { kind: 'on', dial: `${address.host}:${address.port}` }
  const guest = guestOf(machine)
  if (openPort === null || ingress === null || guest === null)
    return { kind: 'gone', because: `has a network in which its port ${port} is not reached from this host` }
  const path = await ingress.forwards.to(id, (signal) => openPort(guest, port, signal))
  return { kind: 'on', dial: `unix/${path}` }
}

function guestOf({ environmentId, address, identity }: Machine): GuestMachine | null {
  return address === null || identity === null ? null : { environmentId, address, identity }
}

function offAs(power: Exclude<Power, 'running'>): Target {
  switch (power) {
    case 'shut_off':
    case 'crashed':
    case 'suspended':
      return { kind: 'off' }
    case 'paused':
      return { kind: 'gone', because: 'stands still' }
    case 'absent':
      return { kind: 'gone', because: 'is not on this host yet, or not any more' }
    default:
      return power satisfies never
  }
}
