import { CertificateAuthority } from '../../access/certificate-authority.ts'
import type { Queryable } from '../../database/connection.ts'
import type { Encryption } from '../../database/encryption.ts'
import { findOrganization } from './queries.ts'

/** The organizations' certificate authorities, each opened once: its key never changes. */
export class CertificateAuthorities {
  private readonly loaded = new Map<string, CertificateAuthority>()

  constructor(private readonly encryption: Encryption) {}

  async of(queryable: Queryable, organizationId: string): Promise<CertificateAuthority> {
    const known = this.loaded.get(organizationId)
    if (known !== undefined) return known
    const row = await findOrganization(queryable, organizationId)
    if (row === undefined) throw new Error(`organization ${organizationId} does not exist`)
    const authority = CertificateAuthority.load(
      this.encryption.decrypt(row.certificate_authority_key, organizationId),
    )
    this.loaded.set(organizationId, authority)
    return authority
  }
}
