import type { Power } from '../../host/machine.ts'
import type { Target } from '../../ingress/served-route.ts'
import type { RouteContext } from './route-context.ts'

/** Where the requests of a route go now. */
export async function targetOf(
  { environmentId, port }: { environmentId: string; port: number },
  { machines }: Pick<RouteContext, 'machines'>,
): Promise<Target> {
  const { power } = await machines.look(environmentId)
  if (power !== 'running') return offAs(power)
  const address = await machines.reach(environmentId, port)
  if (address !== null) return { kind: 'on', dial: `${address.host}:${address.port}` }
  return { kind: 'gone', because: `has a network in which its port ${port} is not reached from this host` }
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
