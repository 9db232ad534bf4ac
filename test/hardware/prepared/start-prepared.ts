import type { Authority, LibvirtHost, MachineSpecification } from '@hearth/runner-agent'
import { guestOf, type PreparedGuest } from './prepared-guest.ts'

const gateMilliseconds = 120_000

/** A machine that goes on from the prepared guest's memory, and has its own identity. Its layer has to be on the host. */
export async function startPrepared(
  host: LibvirtHost,
  { keys, layerId }: PreparedGuest,
  given: MachineSpecification,
  authority: Authority,
): Promise<void> {
  const { environmentId } = given
  await host.machines.create({ ...given, source: { layerId } }, authority)
  await host.machines.startFromMemory(environmentId, layerId, authority)
  const { origin } = await host.layers.look(layerId)
  if (origin === null) throw new Error('the layer does not say whose it is')
  const files = await host.machines.givenFiles(environmentId)
  const guest = await guestOf(host, environmentId, keys)
  const { epoch, generation } = authority
  await guest.takeIdentity(
    { files, formerHostKey: origin.hostKey, resumed: true },
    { runnerId: environmentId, epoch, generation },
    AbortSignal.timeout(gateMilliseconds),
  )
  guest.close()
}
