import { randomBytes } from 'node:crypto'
import type { Address } from '@hearth/contract'
import type { CommandRunner } from '../../command/command-runner.ts'
import type { Given, GivenNetwork } from '../metadata.ts'
import type { Virsh } from '../virsh.ts'
import type { DomainNetwork } from './domain-network.ts'
import { emulatorUser } from './emulator-user.ts'
import { guestLoopback, hostPortOf, isForwarded } from './forwarded-ports.ts'
import { guestUsers, type UserRange, userOfPort } from './guest-users.ts'
import { leasedAddress, untilLeased } from './leased-address.ts'
import { hostNameServer } from './name-server.ts'
import { PacketFilter } from './packet-filter.ts'
import { Passt } from './passt.ts'
import type { Ports } from './ports.ts'
import { type GuestLimits, tableName } from './ruleset.ts'
import type { NetworkSettings } from './settings.ts'
import { networkWarnings } from './warnings.ts'

export interface GuestNetworksOptions {
  runner: CommandRunner
  virsh: Virsh
  ports: Ports
  owner: string
  settings: NetworkSettings
  /** Whether commands on the host run as root. */
  isRoot: boolean
  /** Holds a folder for each guest's networking process. */
  socketsFolder: string
  /** The host's address on which guests are reached. */
  guestAddress: string
}

export type Login = Pick<Address, 'user' | 'hostKey'>

/** Connects guests to their network: chosen at creation, set up before a start, taken down after the end. */
export class GuestNetworks {
  private readonly passt: Passt
  private readonly filter: PacketFilter
  private readonly users: UserRange
  private emulator: Promise<number> | null = null
  private filterFault: string | null = null
  /** Whether all machines of the host have been seen since the agent started. */
  private hasNotedAll = false

  constructor(private readonly options: GuestNetworksOptions) {
    const { runner, owner, settings, isRoot, socketsFolder, virsh } = options
    this.users = guestUsers(owner, settings.firstUser)
    this.passt = new Passt(runner, socketsFolder, isRoot, () => {
      this.emulator ??= emulatorUser(virsh)
      return this.emulator
    })
    const table = tableName(owner)
    const { allow, deny, forwarded } = settings
    const describe = async () => ({
      table,
      users: this.users,
      allow,
      deny,
      hasForwarded: forwarded.length > 0,
      nameServer: settings.nameServer ?? (await hostNameServer(runner)),
    })
    this.filter = new PacketFilter(runner, describe, table)
  }

  /** How a new machine is connected and reached. */
  async choose(
    environmentId: string,
    login: Login,
    limits: GuestLimits,
  ): Promise<Pick<Given, 'address' | 'login' | 'network'>> {
    const { settings, ports, guestAddress } = this.options
    const { network } = settings
    if (network.kind === 'network' || network.kind === 'bridge') {
      return { address: null, login, network: { ...network, macAddress: newMacAddress(), limits } }
    }
    const port = await ports.choose(environmentId)
    return { address: { host: guestAddress, port, ...login }, login, network: { kind: network.kind, limits } }
  }

  /** Network by the current settings: a machine on QEMU's user network becomes an isolated one at its next start. */
  describe(environmentId: string, given: Given): DomainNetwork {
    const network = this.networkOf(given)
    if (network.kind === 'network' || network.kind === 'bridge') return network
    if (given.address === null) throw new Error('the machine has no port of the host')
    if (network.kind === 'user') return { kind: 'user', forward: given.address }
    return { kind: 'isolated', socket: this.passt.socket(environmentId) }
  }

  /** User id that QEMU runs under; null where commands run under no other one. */
  async emulatorUser(): Promise<number | null> {
    if (!this.options.isRoot) return null
    this.emulator ??= emulatorUser(this.options.virsh)
    return this.emulator
  }

  /** Called before each start of the machine. Throws PortTaken when another program uses its port. */
  async prepare(environmentId: string, given: Given): Promise<void> {
    const { runner, settings, isRoot } = this.options
    const network = this.networkOf(given)
    if (network.kind !== 'isolated' || given.address === null) return
    const { address } = given
    this.remember(given)
    const filtered = isRoot && (await this.ensureFilter()) === null
    const nameServer = settings.nameServer ?? (await hostNameServer(runner))
    await this.passt.start(environmentId, {
      user: isRoot ? userOfPort(this.users, address.port) : null,
      forward: address,
      forwarded: settings.forwarded,
      nameServer: nameServer === null ? null : filtered ? 'filter' : { address: nameServer },
    })
  }

  /** The same network with another port of the host. */
  async moved(environmentId: string, given: Given): Promise<Given> {
    const { ports, isRoot } = this.options
    if (given.address === null) return given
    if (isRoot) this.filter.limit(userOfPort(this.users, given.address.port), null)
    return { ...given, address: { ...given.address, port: await ports.choose(environmentId) } }
  }

  /** Called after the machine's start: resolves when the guest is reachable at an address. */
  async settle(environmentId: string, given: Given): Promise<void> {
    const network = this.networkOf(given)
    if (network.kind === 'network' || network.kind === 'bridge') {
      await untilLeased(this.options.virsh, environmentId, network)
    }
  }

  /** Called after the machine has ended. */
  async release(environmentId: string): Promise<void> {
    await this.passt.end(environmentId)
  }

  /** Called when the machine is removed; the rules are removed with the last machine. */
  async forget(environmentId: string, given: Given | null): Promise<void> {
    const { ports, isRoot } = this.options
    await this.release(environmentId)
    ports.release(environmentId)
    if (given?.address != null && isRoot) this.filter.limit(userOfPort(this.users, given.address.port), null)
    if (isRoot && this.hasNotedAll && ports.isUnused) await this.filter.remove()
  }

  /** Registers a machine that was found on the host: its port is in use, its limits apply. */
  note(environmentId: string, given: Given): void {
    if (given.address === null) return
    this.options.ports.reserve(environmentId, given.address.port)
    this.remember(given)
  }

  notedAll(): void {
    this.hasNotedAll = true
  }

  async addressOf(environmentId: string, given: Given, isRunning: boolean): Promise<Address | null> {
    if (given.address !== null || given.login === undefined) return given.address
    const network = this.networkOf(given)
    if (!isRunning || network.kind === 'isolated' || network.kind === 'user') return null
    const host = await leasedAddress(this.options.virsh, environmentId, network.kind)
    return host === null ? null : { host, port: 22, ...given.login }
  }

  /** Where the host reaches a port of a running guest by plain TCP; null where it does not. */
  async reach(
    environmentId: string,
    given: Given,
    port: number,
  ): Promise<{ host: string; port: number } | null> {
    const network = this.networkOf(given)
    if (network.kind === 'network' || network.kind === 'bridge') {
      const host = await leasedAddress(this.options.virsh, environmentId, network.kind)
      return host === null ? null : { host, port }
    }
    const { settings, ports } = this.options
    if (network.kind === 'user' || given.address === null || !isForwarded(port, settings.forwarded))
      return null
    const there = { host: guestLoopback(given.address.port), port: hostPortOf(port) }
    // One that was started under other settings has other ports.
    return (await ports.isListenedOn(there)) ? there : null
  }

  /** Whether a running machine has lost its networking process. QEMU 7.2 does not reconnect to it. */
  isLost(given: Given, listened: ReadonlySet<number>): boolean {
    if (given.address === null || given.network?.kind !== 'isolated') return false
    return !listened.has(given.address.port)
  }

  /** The ports of the host that something listens on. */
  listened(): Promise<Set<number>> {
    return this.options.ports.listened()
  }

  /**
   * Describes what guests can do that they should not; also restores the packet filter rules if somebody removed
   * them.
   */
  async warnings(): Promise<string[]> {
    const { settings, isRoot, runner, ports } = this.options
    if (isRoot && settings.network.kind === 'isolated' && !ports.isUnused) await this.ensureFilter()
    const nameServer = settings.nameServer ?? (await hostNameServer(runner))
    return networkWarnings({
      settings,
      isRoot,
      filterFault: this.filterFault,
      hasNameServer: nameServer !== null,
    })
  }

  private async ensureFilter(): Promise<string | null> {
    this.filterFault = await this.filter.ensure()
    return this.filterFault
  }

  /** Network of a machine at its next start. */
  networkOf(given: Given): GivenNetwork {
    const made = given.network ?? { kind: 'user', limits: {} }
    if (made.kind === 'network' || made.kind === 'bridge') return made
    const { kind } = this.options.settings.network
    return { kind: kind === 'user' ? 'user' : 'isolated', limits: made.limits }
  }

  private remember({ address, network }: Given): void {
    const limits = network?.limits
    if (address === null || limits === undefined || !this.options.isRoot) return
    const isLimited = limits.bandwidthMegabitsPerSecond !== undefined || limits.packetsPerSecond !== undefined
    if (isLimited) this.filter.limit(userOfPort(this.users, address.port), limits)
  }
}

/** In the range of MAC addresses that QEMU uses. */
function newMacAddress(): string {
  return ['52', '54', '00', ...[...randomBytes(3)].map((byte) => byte.toString(16).padStart(2, '0'))].join(
    ':',
  )
}
