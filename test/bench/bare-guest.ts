import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Address } from '@hearth/contract'
import { newId, systemClock } from '@hearth/foundation'
import { LibvirtHost, LocalCommandRunner } from '@hearth/runner-agent'
import { run } from '../hardware/command.ts'
import { virsh, virshUri } from '../hardware/domains.ts'
import { guestNetwork } from '../hardware/guest-network.ts'
import { type ImageName, offerImage } from '../hardware/images.ts'
import { layersAt } from '../hardware/layers-at.ts'
import { type KeyPair, newKeyPair, secureShell } from '../hardware/secure-shell.ts'
import { relayTo } from './relay.ts'

/** The size of every guest that is measured. */
export const guestSize = { virtualCpus: 2, memoryMebibytes: 512, diskGibibytes: 3, limits: {} }

/** A guest with the agent's own definition and seed, but started with `qemu-img`, `virsh` and `ssh` only. */
export class BareGuest {
  private constructor(
    private readonly folder: string,
    private readonly imageDisk: string,
    private readonly address: Address,
    private readonly keys: KeyPair,
  ) {}

  /** Prepares the guest below `folder`, which is not measured. `owner` is written into the machine's metadata. */
  static async prepare(folder: string, image: ImageName, owner: string): Promise<BareGuest> {
    const imagesFolder = join(folder, `images-${image}`)
    const machinesFolder = join(folder, 'bare')
    await offerImage(imagesFolder, image)
    const keys = await newKeyPair(join(folder, 'keys'), `bare-${image}`)
    const environmentId = newId()
    const host = new LibvirtHost({
      runner: new LocalCommandRunner(),
      uri: virshUri,
      virtualization: 'qemu',
      imagesFolder,
      machinesFolder,
      ...layersAt(join(folder, 'layers')),
      owner,
      ...guestNetwork,
      // `virsh` alone starts it: nothing would run passt for it.
      network: { ...guestNetwork.network, network: { kind: 'user' } },
      agentKey: keys.publicKey,
      capacity: {},
      clock: systemClock,
    })
    const specification = {
      environmentId,
      hostname: 'bare',
      image,
      ...guestSize,
      userCertificateAuthority: keys.publicKey,
      principal: 'nobody',
      source: null,
    }
    await host.machines.create(specification, {
      epoch: 1,
      generation: 1,
      assertHeld: () => Promise.resolve(),
    })
    const { address } = await host.machines.look(environmentId)
    if (address === null) throw new Error('the prepared machine has no address')
    await virsh('undefine', `hearth-${environmentId}`)
    const disk = join(imagesFolder, image, 'disk.qcow2')
    return new BareGuest(join(machinesFolder, environmentId), disk, address, keys)
  }

  /** Milliseconds from an empty disk to the first answered command. The guest runs afterwards. */
  async boot(): Promise<number> {
    const disk = join(this.folder, 'disk.qcow2')
    await rm(disk, { force: true })
    await using relay = await relayTo(this.address.port)
    const began = performance.now()
    const size = `${guestSize.diskGibibytes}G`
    await run(['qemu-img', 'create', '-q', '-f', 'qcow2', '-b', this.imageDisk, '-F', 'qcow2', disk, size])
    await virsh('create', join(this.folder, 'domain.xml'))
    const { exitCode, stderr } = await secureShell(
      { ...this.address, port: relay.port },
      { keyPath: this.keys.path },
      'true',
    )
    if (exitCode !== 0) throw new Error(`the bare guest did not answer: ${stderr}${await this.console()}`)
    return performance.now() - began
  }

  /** Ends the guest; its files stay for the next boot. */
  async end(): Promise<void> {
    await virsh('destroy', `hearth-${this.folder.split('/').at(-1)}`)
  }

  private console(): Promise<string> {
    return readFile(join(this.folder, 'console.log'), 'utf8')
  }
}
