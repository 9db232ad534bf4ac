import { join } from 'node:path'
import { newId, systemClock } from '@hearth/foundation'
import { callContract, type Guest, LibvirtHost, LocalCommandRunner } from '@hearth/runner-agent'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { virshUri } from './domains.ts'
import { guestNetwork } from './guest-network.ts'
import { guestSpecification } from './guest-specification.ts'
import { newRunFolder } from './host.ts'
import { offerImage } from './images.ts'
import { layersAt } from './layers-at.ts'
import { removeRun } from './leftovers.ts'
import { guestOf, preparedGuest } from './prepared/prepared-guest.ts'
import { startPrepared } from './prepared/start-prepared.ts'

const authority = { epoch: 3, generation: 1, assertHeld: () => Promise.resolve() }
const owner = newId()
let folder: string
let host: LibvirtHost
let guest: Guest

beforeAll(async () => {
  folder = await newRunFolder()
  const prepared = await preparedGuest()
  await offerImage(join(folder, 'images'), 'debian-12')
  host = new LibvirtHost({
    runner: new LocalCommandRunner(),
    uri: virshUri,
    virtualization: 'qemu',
    imagesFolder: join(folder, 'images'),
    machinesFolder: join(folder, 'machines'),
    ...layersAt(join(folder, 'layers')),
    owner,
    ...guestNetwork,
    agentKey: prepared.keys.publicKey,
    capacity: {},
    clock: systemClock,
  })
  await prepared.copyTo(host)
  const given = guestSpecification(prepared.keys.publicKey)
  await startPrepared(host, prepared, given, authority)
  guest = await guestOf(host, given.environmentId, prepared.keys)
})
afterAll(async () => {
  guest?.close()
  await host?.close()
  await removeRun(folder, [owner])
})

describe('calls of a real guest keep the contract:', () => {
  for (const [promise, holds] of callContract) it(promise, () => holds({ calls: guest.calls }))
})
