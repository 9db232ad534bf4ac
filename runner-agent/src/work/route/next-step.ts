import { isDeepStrictEqual } from 'node:util'
import type { Failure, RouteOrder } from '@hearth/contract'
import { refusal } from '../fencing.ts'
import type { CommonStep } from '../work.ts'

export type RouteStep = { kind: 'serve'; stored: RouteToStore } | { kind: 'withdraw' }
export type RouteReportPhase = 'opening' | 'active' | 'failed' | 'deleted'

/** What a route is to be on the host. */
export interface RouteToStore {
  owner: string
  epoch: number
  generation: number
  route: {
    id: string
    host: string
    customDomain: string | null
    environmentId: string
    machine: string
    port: number
    access: RouteOrder['access']
    ticketKey: string
    tokenDigest: string | null
    refusedTokens: string[]
  }
}

export interface SeenRoute {
  stored: RouteToStore | null
  /** Why the host serves no routes; null while it does. */
  cause: string | null
  failure: Failure | null
  /** The generation of the order that failed. */
  failedGeneration: number
}

export function toStore(order: RouteOrder): RouteToStore {
  const {
    id,
    host,
    customDomain,
    environmentId,
    machine,
    port,
    access,
    ticketKey,
    tokenDigest,
    refusedTokens,
  } = order
  return {
    owner: order.runnerId,
    epoch: order.epoch,
    generation: order.generation,
    route: {
      id,
      host,
      customDomain,
      environmentId,
      machine,
      port,
      access,
      ticketKey,
      tokenDigest,
      refusedTokens,
    },
  }
}

/** The next step towards what is ordered. Pure. */
export function nextStep(order: RouteOrder, seen: SeenRoute): RouteStep | CommonStep<RouteReportPhase> {
  const { stored } = seen
  const refused = stored === null ? null : refusal('the route', order, stored)
  if (refused !== null) return refused
  if (order.desired === 'deleted') return stored === null ? rest('deleted') : { kind: 'withdraw' }
  if (seen.failure !== null && seen.failedGeneration === order.generation)
    return { kind: 'rest', phase: 'failed', failure: seen.failure }
  const wanted = toStore(order)
  if (!isDeepStrictEqual(stored, wanted)) return { kind: 'serve', stored: wanted }
  if (seen.cause === null) return rest('active')
  return { kind: 'rest', phase: 'failed', failure: { code: 'host_refused', message: seen.cause } }
}

const rest = (phase: RouteReportPhase) => ({ kind: 'rest', phase, failure: null }) as const
