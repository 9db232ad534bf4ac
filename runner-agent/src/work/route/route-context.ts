import type { Duplex } from 'node:stream'
import type { GuestMachine } from '../../guest/guest.ts'
import type { Machines } from '../../host/machines.ts'
import type { Ingress } from '../../ingress/ingress.ts'

export type OpenGuestPort = (machine: GuestMachine, port: number, signal: AbortSignal) => Promise<Duplex>

/** What the work on every route needs. */
export interface RouteContext {
  machines: Pick<Machines, 'look' | 'reach'>
  /** Opens a connection to a port of a guest that its host does not reach by itself; null where nothing does. */
  openPort: OpenGuestPort | null
  /** Null where this agent serves no routes; `without` says why. */
  ingress: Ingress | null
  without: string
}
