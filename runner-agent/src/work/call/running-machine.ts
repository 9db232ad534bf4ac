import { HearthError } from '@hearth/foundation'
import type { Machine } from '../../host/machine.ts'
import type { Machines } from '../../host/machines.ts'
import { notRunning } from './wording.ts'

/** Throws `not_found` or `conflict` for a machine that is not this runner's, or that does not run. */
export async function runningMachine(
  { machines, runnerId }: { machines: Pick<Machines, 'look'>; runnerId: string },
  environmentId: string,
): Promise<Machine> {
  const machine = await machines.look(environmentId)
  if (machine.ownership?.owner !== runnerId)
    throw new HearthError('not_found', 'the machine is not on the host that it should be on')
  const refused = notRunning(machine.power)
  if (refused !== null) throw refused
  return machine
}
