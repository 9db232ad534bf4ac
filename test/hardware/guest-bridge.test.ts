import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newId, systemClock } from '@hearth/foundation'
import { LibvirtHost, LocalCommandRunner } from '@hearth/runner-agent'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { virsh, virshUri } from './domains.ts'
import { guestNetwork } from './guest-network.ts'
import { guestSpecification } from './guest-specification.ts'
import { newRunFolder } from './host.ts'
import { offerImage } from './images.ts'
import { layersAt } from './layers-at.ts'
import { removeRun } from './leftovers.ts'
import { type KeyPair, newKeyPair, secureShell } from './secure-shell.ts'

const bootMilliseconds = 300_000
const owner = newId()
const environmentId = newId()
const authority = { epoch: 1, generation: 1, assertHeld: () => Promise.resolve() }
const network = `hearth-${process.pid}`
const gateway = '198.18.77.1'

let folder: string
let host: LibvirtHost
let keys: KeyPair

beforeAll(async () => {
  folder = await newRunFolder()
  keys = await newKeyPair(join(folder, 'keys'), 'agent')
  await offerImage(join(folder, 'images'), 'debian-12')
  // Without <forward>, so that nothing leaves this machine.
  const definition = join(folder, 'network.xml')
  await writeFile(
    definition,
    `<network><name>${network}</name><bridge name='hearth0'/><ip address='${gateway}' netmask='255.255.255.0'>` +
      `<dhcp><range start='198.18.77.10' end='198.18.77.99'/></dhcp></ip></network>`,
  )
  await virsh('net-create', definition)
  host = new LibvirtHost({
    ...guestNetwork,
    network: { ...guestNetwork.network, network: { kind: 'network', name: network } },
    runner: new LocalCommandRunner(),
    uri: virshUri,
    virtualization: 'qemu',
    imagesFolder: join(folder, 'images'),
    machinesFolder: join(folder, 'machines'),
    ...layersAt(join(folder, 'layers')),
    owner,
    agentKey: keys.publicKey,
    capacity: {},
    clock: systemClock,
  })
})

afterAll(async () => {
  if (folder !== undefined) await removeRun(folder, [owner])
  await virsh('net-destroy', network)
})

it('a guest on a libvirt network is reached at its own address, and sends under no other', async () => {
  await host.machines.create(guestSpecification(keys.publicKey, environmentId), authority)
  await host.machines.start(environmentId, authority)
  const { address } = await host.machines.look(environmentId)
  expect(address).toMatchObject({ host: expect.stringMatching(/^198\.18\.77\.\d+$/), port: 22 })
  if (address === null) throw new Error('the guest has no address')
  const shell = (command: string) => secureShell(address, { keyPath: keys.path }, command)
  await eventually(async () => (await shell('true')).exitCode === 0, {
    timeoutMilliseconds: bootMilliseconds,
    intervalMilliseconds: 1_000,
  })
  const definition = await virsh('dumpxml', `hearth-${environmentId}`)
  expect(definition).toMatch(/<port isolated='yes'\/>/)
  expect(definition).toMatch(/<filterref filter='clean-traffic'>/)
  const reach = `timeout 5 bash -c 'exec 3<>/dev/tcp/${gateway}/53' && echo reached || echo refused`
  expect((await shell(reach)).stdout).toBe('reached\n')
  const another = '198.18.77.200'
  await shell(`ip address add ${another}/24 dev eth0; ip route replace ${gateway}/32 dev eth0 src ${another}`)
  expect((await shell(reach)).stdout).toBe('refused\n')
  await host.machines.remove(environmentId, authority)
  expect((await host.machines.look(environmentId)).address).toBeNull()
})
