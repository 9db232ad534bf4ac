import type { Machines } from '../../host/machines.ts'
import type { Ingress } from '../../ingress/ingress.ts'

/** What the work on every route needs. */
export interface RouteContext {
  machines: Pick<Machines, 'look' | 'reach'>
  /** Null where this agent serves no routes; `without` says why. */
  ingress: Ingress | null
  without: string
}
