import type { Organization } from '@hearth/contract'
import { isId, newId } from '@hearth/foundation'
import { CertificateAuthority } from '../../access/certificate-authority.ts'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import type { Encryption } from '../../database/encryption.ts'
import { resourceQueries } from '../../resource/queries.ts'
import { insertStandardClasses } from '../environment-class/index.ts'
import type { OrganizationRow } from './table.ts'

/** An organization belongs to itself: its own id is the organization's, in each of these. */
export const organizations = resourceQueries('organizations', { noun: 'organization' })

/** Makes an organization with a certificate authority of its own and the standard classes. */
export async function insertOrganization(
  tx: DatabaseTransaction,
  encryption: Encryption,
  created: {
    name: string
    labels: Record<string, string>
    spec: Organization['spec']
    creator: string | null
  },
): Promise<OrganizationRow> {
  const id = newId()
  const authority = CertificateAuthority.generate()
  const row = await organizations.insert(
    tx,
    { ...created, id, organizationId: id },
    {
      status: { userCertificateAuthority: authority.publicKeyLine() },
      certificate_authority_key: encryption.encrypt(authority.privateKeyPem(), id),
    },
  )
  await insertStandardClasses(tx, id)
  return row
}

export async function findOrganization(
  queryable: Queryable,
  id: string,
): Promise<OrganizationRow | undefined> {
  return organizations.find(queryable, { organizationId: id }, id)
}

/** By id, or by name, which no two organizations share: one's own, or any for people of the first one. */
export async function findVisibleOrganization(
  queryable: Queryable,
  callerOrganizationId: string,
  reference: string,
): Promise<OrganizationRow | undefined> {
  const row = await queryable
    .selectFrom('organizations')
    .selectAll()
    .where(isId(reference) ? 'id' : 'name', '=', reference)
    .executeTakeFirst()
  if (row === undefined || row.id === callerOrganizationId) return row
  return (await isInstallations(queryable, callerOrganizationId)) ? row : undefined
}

/** The oldest organization is the installation's own: only its people see beyond theirs. */
export async function isInstallations(queryable: Queryable, id: string): Promise<boolean> {
  return (await findFirstOrganization(queryable))?.id === id
}

export async function findFirstOrganization(queryable: Queryable): Promise<OrganizationRow | undefined> {
  return queryable.selectFrom('organizations').selectAll().orderBy('id').limit(1).executeTakeFirst()
}

/** One's own, or one more of all than the limit. */
export async function listOrganizations(
  queryable: Queryable,
  { organizationId, limit, after }: { organizationId: string; limit: number; after?: string | undefined },
  seesAll: boolean,
): Promise<OrganizationRow[]> {
  let query = queryable
    .selectFrom('organizations')
    .selectAll()
    .orderBy('id')
    .limit(limit + 1)
  if (!seesAll) query = query.where('id', '=', organizationId)
  if (after !== undefined) query = query.where('id', '>', after)
  return query.execute()
}
