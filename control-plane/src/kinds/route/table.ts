import type { Failure, Route, RouteAccess, RouteDomain, RoutePhase, RouteSpec } from '@hearth/contract'
import type { ColumnType, Generated, Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'

/** What the status column holds; the rest of the wire's status are columns of their own. */
export interface StoredRouteStatus {
  /** The port for HTTPS of the proxy that serves it; null until its runner is known. */
  proxyPort: number | null
  waitsFor: string | null
  /** Of its custom domain; of routes older than those, absent. */
  domain?: RouteDomain | null
  /** The last request that asked for the machine while it was off. */
  wake: StoredWake | null
  failure: Failure | null
  observedSpecVersion: number
}

export interface StoredWake {
  /** The runner's, another one for each time. */
  id: string
  at: string
  /** Why the machine was not started for it. */
  fault: string | null
  /** Whether it was answered. */
  isHandled: boolean
}

export interface StoredRouteSpec {
  port: number
  access: RouteAccess
  /** Absent in routes that are older than custom domains. */
  customDomain?: string | null
}

export interface RouteTable extends ResourceTable<StoredRouteSpec, StoredRouteStatus> {
  environment_id: string
  claim_id: string | null
  /** The runner that was ordered to serve it; null while none is. */
  runner_id: string | null
  host: string | null
  phase: RoutePhase
  phase_since: ColumnType<Date, Date | undefined, Date>
  deadline: Date | null
  desired: RouteSpec['desired']
  /** Ed25519 public key in base64; tickets are signed with the other one. */
  ticket_key: string
  /** Private key as PEM, encrypted; the context is the id. */
  signing_key: Buffer
  /** SHA-256 of its token; null where it has none. */
  token_hash: Buffer | null
  report_epoch: Generated<number>
  report_sequence: Generated<string>
}
/** That tickets were made for the holder of a token. */
export interface RouteEntryTable {
  route_id: string
  token_id: string
  /** When the last of what they let in ends. */
  ends_at: Date
}
export interface RouteTables {
  routes: RouteTable
  route_entries: RouteEntryTable
}
export type RouteRow = Selectable<RouteTable>

export const emptyRouteStatus: StoredRouteStatus = {
  proxyPort: null,
  waitsFor: null,
  domain: null,
  wake: null,
  failure: null,
  observedSpecVersion: 0,
}

/** Where it is opened; null until its runner is known. */
export function urlOf({ host, status }: Pick<RouteRow, 'host' | 'status'>): string | null {
  const { proxyPort } = status
  if (host === null || proxyPort === null) return null
  return proxyPort === 443 ? `https://${host}` : `https://${host}:${proxyPort}`
}

export function toRoute(row: RouteRow): Route {
  const { waitsFor, domain = null, wake, failure, observedSpecVersion } = row.status
  return {
    kind: 'Route',
    metadata: metadataOf(row),
    spec: {
      desired: row.desired,
      environmentId: row.environment_id,
      claimId: row.claim_id,
      ...row.spec,
      customDomain: row.spec.customDomain ?? null,
    },
    specVersion: row.spec_version,
    status: {
      phase: row.phase,
      host: row.host,
      url: urlOf(row),
      runnerId: row.runner_id,
      waitsFor,
      domain,
      hasToken: row.token_hash !== null,
      wake: wake === null ? null : { at: wake.at, fault: wake.fault },
      observedSpecVersion,
      failure,
      deadline: row.deadline?.toISOString() ?? null,
    },
    statusVersion: row.status_version,
  }
}
