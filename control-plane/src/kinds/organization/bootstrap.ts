import { sql } from 'kysely'
import type { Database } from '../../database/connection.ts'
import type { Encryption } from '../../database/encryption.ts'
import { advisoryLocks } from '../../database/locks.ts'
import { createPrincipal, createToken } from '../token/index.ts'
import { findFirstOrganization, insertOrganization } from './queries.ts'

/** On an empty database: the organization `default` and an administrator whose token has the given secret. */
export async function bootstrap(
  database: Database,
  encryption: Encryption,
  secret: string,
): Promise<'made' | 'present'> {
  return database.transaction().execute(async (tx) => {
    await sql`SELECT pg_advisory_xact_lock(${advisoryLocks.bootstrap})`.execute(tx)
    if ((await findFirstOrganization(tx)) !== undefined) return 'present'
    const spec = { displayName: 'Default organization' }
    const { id } = await insertOrganization(tx, encryption, {
      name: 'default',
      labels: {},
      spec,
      creator: null,
    })
    const principal = { organization_id: id, kind: 'user' as const, name: 'administrator' }
    const principalId = await createPrincipal(tx, principal)
    await createToken(tx, {
      organizationId: id,
      principalId,
      name: 'bootstrap',
      roles: ['administrator'],
      secret,
    })
    return 'made'
  })
}
