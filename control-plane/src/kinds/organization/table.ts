import type { Organization } from '@hearth/contract'
import type { Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'

export interface OrganizationTable
  extends ResourceTable<Organization['spec'], { userCertificateAuthority: string }> {
  /** The authority's private key, encrypted. */
  certificate_authority_key: Buffer
}
export interface OrganizationTables {
  organizations: OrganizationTable
}
export type OrganizationRow = Selectable<OrganizationTable>

export function toOrganization(row: OrganizationRow): Organization {
  return {
    kind: 'Organization',
    metadata: metadataOf(row),
    spec: row.spec,
    specVersion: row.spec_version,
    status: {
      phase: 'active',
      userCertificateAuthority: row.status.userCertificateAuthority,
      observedSpecVersion: row.spec_version,
      failure: null,
      deadline: null,
    },
    statusVersion: row.status_version,
  }
}
