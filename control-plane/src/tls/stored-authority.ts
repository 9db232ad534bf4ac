import { sql } from 'kysely'
import type { Database } from '../database/connection.ts'
import type { Encryption } from '../database/encryption.ts'
import { advisoryLocks } from '../database/locks.ts'
import { type Credentials, makeAuthority } from './certificate.ts'

const context = 'tls-authority'
/** One that ends sooner is replaced: who trusts it has to be told of the next one. */
const leastMilliseconds = 100 * 24 * 3_600_000

/** The installation's authority, made once and the same for all its control planes. */
export async function storedAuthority(
  database: Database,
  encryption: Encryption,
  now: Date,
): Promise<Credentials> {
  return database.transaction().execute(async (tx) => {
    await sql`SELECT pg_advisory_xact_lock(${advisoryLocks.tlsAuthority})`.execute(tx)
    const stored = await tx.selectFrom('tls_authority').selectAll().executeTakeFirst()
    if (stored !== undefined && stored.ends_at.getTime() - now.getTime() > leastMilliseconds) {
      const { certificate, private_key, ends_at: endsAt } = stored
      return { certificate, privateKey: encryption.decrypt(private_key, context), endsAt }
    }
    const made = await makeAuthority(now)
    const row = {
      certificate: made.certificate,
      private_key: encryption.encrypt(made.privateKey, context),
      ends_at: made.endsAt,
    }
    await tx
      .insertInto('tls_authority')
      .values(row)
      .onConflict((conflict) => conflict.column('singleton').doUpdateSet(row))
      .execute()
    return made
  })
}
