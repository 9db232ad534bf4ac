import { type AllowedHost, isAllowed } from './allowed-hosts.ts'
import { Places } from './places.ts'
import { type Program, type ProgramBounds, type ProgramEnd, runInGroup } from './process-group.ts'
import { isPublicAddress } from './public-address.ts'
import { resolveHost } from './resolve.ts'

/** Where a call goes: the host name is used in the protocol, and the connection is made to this address only. */
export interface Destination {
  host: string
  port: number
  address: string
}

export type Judgement = Destination | 'unresolved' | 'not public'

/** Most concurrent calls of one replica, and most waiting ones; further calls are refused. */
const bounds = { most: 4, mostWaiting: 64 }

/**
 * Every call to an address that a user gives goes through here: the address is checked, and calls are limited in number
 * and time.
 */
export class Outgoing {
  private readonly places = new Places(bounds)

  constructor(
    private readonly allowed: readonly AllowedHost[],
    private readonly resolve: typeof resolveHost = resolveHost,
  ) {}

  /**
   * Resolves the host once and checks its addresses. The caller must connect to the returned address only, since the
   * name may resolve differently a moment later.
   */
  async judge(target: { host: string; port: number }, signal: AbortSignal): Promise<Judgement> {
    const addresses = await this.resolve(target.host, signal)
    const address = addresses.find((one) => isPublicAddress(one) || isAllowed(this.allowed, target, one))
    if (address !== undefined) return { ...target, address }
    return addresses.length === 0 ? 'unresolved' : 'not public'
  }

  /** Makes a call when its turn comes; null, without calling, when too many wait or `signal` aborts before. */
  async inTurn<Result>(signal: AbortSignal, call: () => Promise<Result>): Promise<Result | null> {
    return this.places.with(signal, call)
  }

  async run(program: Program, limits: ProgramBounds, signal: AbortSignal): Promise<ProgramEnd> {
    return runInGroup(program, limits, signal)
  }
}
