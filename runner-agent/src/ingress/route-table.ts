import { newId } from '@hearth/foundation'
import type { ServedRoute, Target, Waking } from './served-route.ts'

/** How long a machine may take from the request that asked for it until it runs. */
export const wakeMilliseconds = 180_000
/** For how long a page says that it did not start, before another request asks for it again. */
const faultMilliseconds = 15_000
/** For how long after its start a machine that does not answer yet is taken to be on its way. */
const settleMilliseconds = 120_000

interface Entry {
  route: ServedRoute
  target: Target
  waking: Waking | null
  /** When a machine that a request had asked for was on. */
  wokenAt: number | null
}

const hostsOf = ({ host, customDomain }: ServedRoute) =>
  customDomain === null ? [host] : [host, customDomain]

export type Woken =
  | { kind: 'waking' }
  /** It is asked for anew: the control plane is to be told. */
  | { kind: 'asked' }
  | { kind: 'failed'; because: string }

/** The routes that this host serves, by their host names. */
export class RouteTable {
  private readonly entries = new Map<string, Entry>()
  private readonly hosts = new Map<string, string>()

  /** `now` is monotonic, in milliseconds. */
  constructor(private readonly now: () => number) {}

  get size(): number {
    return this.entries.size
  }

  byHost(host: string): { route: ServedRoute; target: Target } | undefined {
    return this.entries.get(this.hosts.get(host) ?? '')
  }

  get(id: string): Readonly<Entry> | undefined {
    return this.entries.get(id)
  }

  all(): Iterable<Readonly<Entry>> {
    return this.entries.values()
  }

  set(route: ServedRoute, target: Target): void {
    const before = this.entries.get(route.id)
    if (before !== undefined) this.release(before.route)
    this.entries.set(route.id, {
      route,
      target,
      waking: before?.waking ?? null,
      wokenAt: before?.wokenAt ?? null,
    })
    for (const host of hostsOf(route)) this.hosts.set(host, route.id)
    this.aim(route.id, target)
  }

  /** Says where a route leads now. */
  aim(id: string, target: Target): void {
    const entry = this.entries.get(id)
    if (entry === undefined) return
    if (target.kind === 'on' && entry.waking !== null) {
      entry.waking = null
      entry.wokenAt = this.now()
    }
    entry.target = target
  }

  delete(id: string): void {
    const entry = this.entries.get(id)
    if (entry === undefined) return
    this.entries.delete(id)
    this.release(entry.route)
  }

  /** Its host names may be another route's already. */
  private release(route: ServedRoute): void {
    for (const host of hostsOf(route)) if (this.hosts.get(host) === route.id) this.hosts.delete(host)
  }

  /** A request wants the machine of a route that is off. */
  wake(id: string): Woken {
    const entry = this.entries.get(id)
    if (entry === undefined) return { kind: 'failed', because: 'the route is gone' }
    const now = this.now()
    const { waking } = entry
    if (waking !== null) {
      const late = now - waking.since - wakeMilliseconds
      if (waking.fault === null && late < 0) return { kind: 'waking' }
      const because = waking.fault?.because ?? `it did not start within ${wakeMilliseconds / 1000} s`
      const toldFor = waking.fault === null ? late : now - waking.fault.at
      if (toldFor < faultMilliseconds) return { kind: 'failed', because }
    }
    entry.waking = { id: newId(), since: now, fault: null }
    return { kind: 'asked' }
  }

  /** The control plane could not start the machine for a request. */
  wakeFailed(id: string, wakeId: string, because: string): void {
    const waking = this.entries.get(id)?.waking
    if (waking?.id === wakeId && waking.fault === null) waking.fault = { because, at: this.now() }
  }

  /** Whether the machine of a route was started for a request a short while ago. */
  isSettling(id: string): boolean {
    const wokenAt = this.entries.get(id)?.wokenAt ?? null
    return wokenAt !== null && this.now() - wokenAt < settleMilliseconds
  }
}
