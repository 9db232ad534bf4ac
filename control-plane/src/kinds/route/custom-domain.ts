import type { RouteDomain } from '@hearth/contract'
import { HearthError, invalidValue } from '@hearth/foundation'
import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { advisoryLocks } from '../../database/locks.ts'

/** How a custom domain stands from which nothing has been seen yet. */
export const domainAtFirst = (domain: string | null | undefined, now: Date): RouteDomain | null =>
  domain == null ? null : { state: 'pending', cause: null, since: now.toISOString() }

interface Wanted {
  domain: string | null | undefined
  organizationId: string
  /** The route that is to have it; null before it is made. */
  routeId: string | null
}

/** Refuses a domain that another route has, or that is the installation's own to give. None is taken until the transaction ends. */
export async function requireFreeDomain(tx: DatabaseTransaction, wanted: Wanted): Promise<void> {
  const { domain, organizationId, routeId } = wanted
  if (domain == null) return
  await sql`SELECT pg_advisory_xact_lock(${advisoryLocks.routeDomains})`.execute(tx)
  const other = await tx
    .selectFrom('routes')
    .select(['name', 'organization_id'])
    .where(sql<string>`spec->>'customDomain'`, '=', domain)
    .where('desired', '=', 'open')
    .$if(routeId !== null, (query) => query.where('id', '<>', routeId ?? ''))
    .executeTakeFirst()
  if (other !== undefined) {
    const whose = other.organization_id === organizationId ? `route ${other.name}` : 'another organization'
    throw new HearthError('conflict', `the domain ${domain} belongs to ${whose}: take it away there first`)
  }
  const base = await baseAbove(tx, domain)
  if (base === null) return
  throw invalidValue({
    field: 'body.spec.customDomain',
    given: domain,
    expected: `a host name that is not below ${base}, whose names follow from those of routes: name the route instead`,
  })
}

/** The domain of a runner that a host name is, or is below. */
async function baseAbove(tx: DatabaseTransaction, domain: string): Promise<string | null> {
  const { rows } = await sql<{ base: string }>`
    SELECT status->'facts'->'ingress'->>'base' AS base FROM runners
    WHERE right('.' || ${domain}, length(status->'facts'->'ingress'->>'base') + 1)
      = '.' || (status->'facts'->'ingress'->>'base')
    LIMIT 1`.execute(tx)
  return rows[0]?.base ?? null
}
