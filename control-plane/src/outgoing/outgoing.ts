import { type AllowedHost, isAllowed } from './allowed-hosts.ts'
import { Places } from './places.ts'
import { type Program, type ProgramBounds, type ProgramEnd, runInGroup } from './process-group.ts'
import { isPublicAddress } from './public-address.ts'
import { resolveHost } from './resolve.ts'

/** Where a call goes: the name is for what is said there, the address is the only one that is connected to. */
export interface Destination {
  host: string
  port: number
  address: string
}

export type Judgement = Destination | 'unresolved' | 'not public'

/** So many calls of one replica at once; more wait, and beyond these they are not made. */
const bounds = { most: 4, mostWaiting: 64 }

/** Every call that somebody else names the address of goes through here: it is judged, bounded and ended. */
export class Outgoing {
  private readonly places = new Places(bounds)

  constructor(
    private readonly allowed: readonly AllowedHost[],
    private readonly resolve: typeof resolveHost = resolveHost,
  ) {}

  /**
   * Resolves the host once and judges what came: a connection is to be made to the address in the answer and to no other,
   * since the name may mean something else a moment later.
   */
  async judge(target: { host: string; port: number }, signal: AbortSignal): Promise<Judgement> {
    const addresses = await this.resolve(target.host, signal)
    const address = addresses.find((one) => isPublicAddress(one) || isAllowed(this.allowed, target, one))
    if (address !== undefined) return { ...target, address }
    return addresses.length === 0 ? 'unresolved' : 'not public'
  }

  /** Does a call when its turn comes; null, and nothing done, when too many wait or `signal` aborts before. */
  async inTurn<Result>(signal: AbortSignal, call: () => Promise<Result>): Promise<Result | null> {
    return this.places.with(signal, call)
  }

  async run(program: Program, limits: ProgramBounds, signal: AbortSignal): Promise<ProgramEnd> {
    return runInGroup(program, limits, signal)
  }
}
