import { connectMessaging, type Messaging } from '@hearth/messaging'
import { compose, createLogger, type Guest, type Host, readConfig, runAgent } from '@hearth/runner-agent'
import { breakRemovals } from './breaks.ts'
import { failingSteps } from './failing-steps.ts'
import { diskThatFills, layersThatFill, takenTwice } from './host-faults.ts'
import { KillSwitch } from './kill-switch.ts'
import { conditions, jumpingClock, whenStarted } from './parent.ts'
import { guestsThatStandStill } from './standing-guests.ts'
import { agentTimings, messagingTimings } from './timings.ts'

/** Exit code of the shipped program when a newer agent has its runner. */
const supersededExitCode = 3
const machineSteps = [
  'create',
  'start',
  'resume',
  'suspend',
  'resumeSuspended',
  'shutDown',
  'powerOff',
  'remove',
  'stamp',
  'keepRecord',
] as const
const killedAt = [...machineSteps, 'startFromMemory', 'replaceDisk'] as const
const layerSteps = ['freeze', 'remove', 'flatten', 'beginCopy', 'write', 'completeCopy'] as const
const volumeSteps = ['create', 'attach', 'detach', 'grow', 'clear', 'remove'] as const
const processSteps = ['stop', 'forget'] as const
const guestSteps = ['identify', 'writePrivateFile', 'writeFileForStep', 'takeIdentity', 'scrub'] as const

const start = await whenStarted()
const killSwitch = new KillSwitch(start.kill)
const config = readConfig(start.environment)
const parts = await compose(config, createLogger(config))
const twice = start.stepsTwice
const machines = killSwitch.around(
  breakRemovals(
    start.break,
    diskThatFills(takenTwice(guestsThatStandStill(parts.host.machines), twice ? machineSteps : [])),
  ),
  killedAt,
)
const host: Host = {
  machines,
  layers: killSwitch.around(layersThatFill(parts.host.layers), layerSteps),
  volumes: killSwitch.around(parts.host.volumes, volumeSteps),
  facts: () => parts.host.facts(),
  freeDiskBytes: async () => (conditions.diskFull ? 0 : parts.host.freeDiskBytes()),
  close: () => parts.host.close(),
}
const end = await runAgent(
  {
    ...parts,
    host,
    openGuest: (machine) => countedGuest(parts.openGuest(machine)),
    clock: jumpingClock,
    timings: agentTimings,
    connect: async (options) =>
      counted(
        await connectMessaging({
          ...options,
          servers: start.natsServer === null ? options.servers : [start.natsServer],
          timings: messagingTimings,
        }),
      ),
  },
  new AbortController().signal,
)
process.exit(end === 'superseded' ? supersededExitCode : 0)

/** The agent may die after each event of a step. */
function countedGuest(guest: Guest): Guest {
  const told = new Proxy(guest, {
    get: (object, name) => {
      if (name === 'runSteps')
        return (...given: Parameters<Guest['runSteps']>) => killSwitch.items(failingSteps(object, ...given))
      if (name === 'processes') return countedProcesses(object.processes)
      const value: unknown = Reflect.get(object, name)
      return typeof value === 'function'
        ? (...given: unknown[]): unknown => Reflect.apply(value, object, given)
        : value
    },
  })
  return killSwitch.around(told, guestSteps)
}

/** The agent may die after each event of a run, so also right after its start. */
function countedProcesses(processes: Guest['processes']): Guest['processes'] {
  const told = new Proxy(processes, {
    get: (object, name) => {
      if (name === 'follow')
        return (...given: Parameters<Guest['processes']['follow']>) =>
          killSwitch.items(object.follow(...given))
      const value: unknown = Reflect.get(object, name)
      return typeof value === 'function'
        ? (...given: unknown[]): unknown => Reflect.apply(value, object, given)
        : value
    },
  })
  return killSwitch.around(told, processSteps)
}

function counted(messaging: Messaging): Messaging {
  return killSwitch.around(
    {
      ...messaging,
      consumeOrders: (runnerId, handle, signal) =>
        messaging.consumeOrders(runnerId, (order) => killSwitch.write(() => handle(order)), signal),
    },
    ['publishReport', 'requestSync'],
  )
}
