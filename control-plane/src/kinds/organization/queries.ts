import type { Organization } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { sql } from 'kysely'
import { CertificateAuthority } from '../../access/certificate-authority.ts'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import type { Encryption } from '../../database/encryption.ts'
import { insertStandardClasses } from '../environment-class/index.ts'
import type { OrganizationRow } from './table.ts'

/** Makes an organization with a certificate authority of its own and the standard classes. */
export async function createOrganization(
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
  const row = await tx
    .insertInto('organizations')
    .values({
      id,
      organization_id: id,
      name: created.name,
      creator: created.creator,
      labels: JSON.stringify(created.labels),
      spec: JSON.stringify(created.spec),
      status: JSON.stringify({ userCertificateAuthority: authority.publicKeyLine() }),
      certificate_authority_key: encryption.encrypt(authority.privateKeyPem(), id),
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  await insertStandardClasses(tx, id)
  return row
}

export async function findOrganization(
  queryable: Queryable,
  id: string,
): Promise<OrganizationRow | undefined> {
  return queryable.selectFrom('organizations').selectAll().where('id', '=', id).executeTakeFirst()
}

/** The row, which nobody else changes until the transaction ends. */
export async function lockOrganization(
  tx: DatabaseTransaction,
  id: string,
): Promise<OrganizationRow | undefined> {
  return tx.selectFrom('organizations').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
}

/** The oldest organization is the installation's own: its administrators may make others. */
export async function findFirstOrganization(queryable: Queryable): Promise<OrganizationRow | undefined> {
  return queryable.selectFrom('organizations').selectAll().orderBy('id').limit(1).executeTakeFirst()
}

export async function listOrganizations(
  queryable: Queryable,
  limit: number,
  after: string | undefined,
): Promise<OrganizationRow[]> {
  let query = queryable
    .selectFrom('organizations')
    .selectAll()
    .orderBy('id')
    .limit(limit + 1)
  if (after !== undefined) query = query.where('id', '>', after)
  return query.execute()
}

export async function updateOrganization(
  tx: DatabaseTransaction,
  id: string,
  change: { labels: Record<string, string>; spec: Organization['spec'] },
): Promise<OrganizationRow> {
  return tx
    .updateTable('organizations')
    .set({
      labels: JSON.stringify(change.labels),
      spec: JSON.stringify(change.spec),
      spec_version: sql`spec_version + 1`,
      updated_at: sql`now()`,
    })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}
