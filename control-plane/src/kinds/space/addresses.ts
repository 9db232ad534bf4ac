import { isDeepStrictEqual } from 'node:util'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { type RouteRow, urlOf } from '../route/index.ts'
import type { SpaceRow, StoredSpaceStatus } from './table.ts'
import { changeSpaceStatus } from './write.ts'

export type SpaceAddresses = Required<
  Pick<StoredSpaceStatus, 'platformDomain' | 'url' | 'customDomain' | 'domain'>
>

/** The addresses of a space are those of the route that leads to it; it has none where that was taken away. */
export function addressesOf(route: RouteRow | undefined): SpaceAddresses {
  if (route === undefined) return { platformDomain: null, url: null, customDomain: null, domain: null }
  const { host, spec, status } = route
  return {
    platformDomain: host,
    url: urlOf(route),
    customDomain: spec.customDomain ?? null,
    domain: status.domain ?? null,
  }
}

/** Has a space tell the addresses of its route. The row must have been read under lock. */
export async function tellAddresses(
  tx: DatabaseTransaction,
  row: SpaceRow,
  route: RouteRow | undefined,
  now: Date,
): Promise<SpaceRow> {
  const { platformDomain, url, customDomain = null, domain = null } = row.status
  const addresses = addressesOf(route)
  if (isDeepStrictEqual(addresses, { platformDomain, url, customDomain, domain })) return row
  return changeSpaceStatus(tx, row, { status: addresses, now })
}
