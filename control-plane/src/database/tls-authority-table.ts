import type { Generated } from 'kysely'

/** One row. */
export interface TlsAuthorityTable {
  singleton: Generated<boolean>
  /** As PEM. */
  certificate: string
  /** Encrypted PEM. */
  private_key: Buffer
  ends_at: Date
}
export interface TlsAuthorityTables {
  tls_authority: TlsAuthorityTable
}
