import type { RouteReport } from '@hearth/contract'
import type { ServedRoute } from '../served-route.ts'
import { afterLook, domainAtFirst, type KnownDomain, type SeenDomain } from './state.ts'

/** Looks under way at once. */
const mostLooks = 8

/** The custom domains of this host's routes: each is looked at until it is served, and now and then afterwards. */
export class CustomDomains {
  private readonly known = new Map<string, KnownDomain>()
  private readonly generations = new Map<string, number>()

  constructor(
    /** Monotonic, in milliseconds. */
    private readonly now: () => number,
    private readonly look: (domain: string, platformHost: string) => Promise<SeenDomain>,
  ) {}

  /** As a report has it; null for a route without one. */
  reported({ id, customDomain }: Pick<ServedRoute, 'id' | 'customDomain'>): RouteReport['domain'] {
    if (customDomain === null) return null
    const { host, state, cause } = this.of(id, customDomain)
    return { host, state, cause }
  }

  /** Looks at those whose time has come. Resolves with the routes of those that stand otherwise now. */
  async lookAtDue(routes: Iterable<ServedRoute>): Promise<string[]> {
    const present = new Map([...routes].map((route) => [route.id, route]))
    for (const id of this.known.keys()) if (present.get(id)?.customDomain == null) this.known.delete(id)
    for (const id of this.generations.keys()) if (!present.has(id)) this.generations.delete(id)
    const due = [...present.values()]
      .flatMap(({ id, host, customDomain }) => (customDomain === null ? [] : [{ id, host, customDomain }]))
      .map((route) => ({ ...route, before: this.of(route.id, route.customDomain) }))
      .filter(({ before }) => before.nextAt <= this.now())
      .sort((one, other) => one.before.nextAt - other.before.nextAt)
      .slice(0, mostLooks)
    const changed = await Promise.all(
      due.map(async ({ id, host, customDomain, before }) => {
        const after = afterLook(before, await this.look(customDomain, host), this.now())
        // It may have got another one meanwhile.
        if (this.known.get(id) !== before) return []
        this.known.set(id, after)
        return after.state === before.state && after.cause === before.cause ? [] : [id]
      }),
    )
    return changed.flat()
  }

  /** A change of its route asks for another look at once. */
  asked(id: string, generation: number): void {
    if ((this.generations.get(id) ?? 0) < generation) this.known.delete(id)
    this.generations.set(id, generation)
  }

  private of(id: string, host: string): KnownDomain {
    const known = this.known.get(id)
    if (known?.host === host) return known
    const fresh = domainAtFirst(host, this.now())
    this.known.set(id, fresh)
    return fresh
  }
}
