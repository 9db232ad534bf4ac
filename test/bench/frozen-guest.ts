import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Address } from '@hearth/contract'
import { newId, systemClock } from '@hearth/foundation'
import { LibvirtHost, LocalCommandRunner, SshGuest } from '@hearth/runner-agent'
import { virshUri } from '../hardware/domains.ts'
import { guestNetwork } from '../hardware/guest-network.ts'
import { offerImage } from '../hardware/images.ts'
import { layersAt } from '../hardware/layers-at.ts'
import { type KeyPair, newKeyPair, secureShell } from '../hardware/secure-shell.ts'
import { guestSize } from './bare-guest.ts'
import { relayTo } from './relay.ts'

/** Of the one who measures. */
export const guestAuthority = { epoch: 1, generation: 1, assertHeld: () => Promise.resolve() }
const patienceMilliseconds = 300_000
const patience = () => AbortSignal.timeout(patienceMilliseconds)

/** A running guest of an agent's host, its snapshots, and machines that start from them. */
export class FrozenGuest {
  private constructor(
    readonly folder: string,
    readonly host: LibvirtHost,
    private readonly owner: string,
    private readonly keys: KeyPair,
    readonly environmentId: string,
  ) {}

  /** Boots the guest below `folder`. `owner` is written into the machines' metadata. */
  static async boot(folder: string, owner: string): Promise<FrozenGuest> {
    await offerImage(join(folder, 'images'), 'debian-12')
    const keys = await newKeyPair(join(folder, 'keys'), 'agent')
    const host = new LibvirtHost({
      runner: new LocalCommandRunner(),
      uri: virshUri,
      virtualization: 'qemu',
      imagesFolder: join(folder, 'images'),
      machinesFolder: join(folder, 'machines'),
      ...layersAt(join(folder, 'layers')),
      owner,
      ...guestNetwork,
      // `virsh` alone starts some of them: nothing would run passt for those.
      network: { ...guestNetwork.network, network: { kind: 'user' } },
      agentKey: keys.publicKey,
      capacity: {},
      clock: systemClock,
    })
    const guest = new FrozenGuest(folder, host, owner, keys, newId())
    await guest.create(guest.environmentId, null)
    await host.machines.start(guest.environmentId, guestAuthority)
    await guest.enter(guest.environmentId)
    const inside = await guest.open(guest.environmentId)
    await inside.awaitOwnSetUp(guestSize.diskGibibytes, patience())
    inside.close()
    return guest
  }

  async freeze(memory: boolean): Promise<string> {
    const layerId = newId()
    await this.host.layers.freeze({ layerId, environmentId: this.environmentId, memory }, guestAuthority)
    const { facts } = await this.host.layers.look(layerId)
    if (memory && facts?.memory == null) throw new Error(`no memory was kept: ${facts?.memoryFault}`)
    return layerId
  }

  create(environmentId: string, source: { layerId: string } | null): Promise<void> {
    const specification = {
      environmentId,
      hostname: 'measured',
      image: 'debian-12',
      ...guestSize,
      userCertificateAuthority: this.keys.publicKey,
      principal: 'nobody',
      source,
    }
    return this.host.machines.create(specification, guestAuthority)
  }

  /** From nothing to the first command, over the disk or with the memory of a layer. Resolves with milliseconds. */
  async start(environmentId: string, layerId: string, resumed: boolean): Promise<number> {
    const began = performance.now()
    await this.create(environmentId, { layerId })
    if (resumed) await this.host.machines.startFromMemory(environmentId, layerId, guestAuthority)
    else await this.host.machines.start(environmentId, guestAuthority)
    await this.takeIdentity(environmentId, layerId, resumed)
    await this.enter(environmentId)
    return performance.now() - began
  }

  /** The gate. Resolves with milliseconds. */
  async takeIdentity(environmentId: string, layerId: string, resumed: boolean): Promise<number> {
    const { origin } = await this.host.layers.look(layerId)
    if (origin === null) throw new Error('the layer does not say whose it is')
    const guest = await this.open(environmentId)
    const files = await this.host.machines.givenFiles(environmentId)
    const began = performance.now()
    const taking = { files, formerHostKey: origin.hostKey, resumed }
    await guest.takeIdentity(taking, { runnerId: this.owner, epoch: 1, generation: 1 }, patience())
    const took = performance.now() - began
    guest.close()
    return took
  }

  /** What the guest says of its identity and clock, as before each `running`. */
  async prove(environmentId: string): Promise<void> {
    const guest = await this.open(environmentId)
    await guest.identify(patience())
    guest.close()
  }

  /** The first command, with the host key of the machine or the given one. */
  async enter(environmentId: string, hostKey?: string, command = 'true'): Promise<void> {
    const address = await this.addressOf(environmentId)
    await using relay = await relayTo(address.port)
    const shown = { ...address, port: relay.port, hostKey: hostKey ?? address.hostKey }
    const { exitCode, stderr } = await secureShell(shown, { keyPath: this.keys.path }, command)
    if (exitCode !== 0) throw new Error(`the guest did not answer: ${stderr}`)
  }

  async addressOf(environmentId: string): Promise<Address> {
    const { address } = await this.host.machines.look(environmentId)
    if (address === null) throw new Error('the machine has no address')
    return address
  }

  remove(environmentId: string): Promise<void> {
    return this.host.machines.remove(environmentId, guestAuthority)
  }

  private async open(environmentId: string): Promise<SshGuest> {
    const { address, identity } = await this.host.machines.look(environmentId)
    if (address === null || identity === null) throw new Error('the machine has no address')
    const runner = new LocalCommandRunner()
    const options = {
      privateKey: await readFile(this.keys.path, 'utf8'),
      connect: (at: string, port: number) => runner.connect(at, port),
      clock: systemClock,
    }
    return new SshGuest({ environmentId, address, identity }, options)
  }
}
