import { createHash } from 'node:crypto'
import { HearthError } from '@hearth/foundation'
import type { Database, DatabaseTransaction } from './connection.ts'
import type { Encryption } from './encryption.ts'
import { sendLate } from './late-writes.ts'
import { transact } from './transact.ts'

export interface Answer {
  status: 200 | 201 | 202
  body: string
}

export interface Once {
  answer: Answer
  /** Whether an earlier request with the same key has done the work. */
  isRepeat: boolean
}

export interface IdempotentRequest {
  organizationId: string
  /** null when the caller sent none: the work is then done without a record. */
  key: string | null
  /** The principal that asks: the stored answer may hold a secret for them only. */
  principalId: string
  /** Method, path and body: they and the principal must be equal for a request to be a repeat. */
  request: string
}

/**
 * Does the work once per key, in one transaction with the key's row; a repeat gets the first answer byte for byte,
 * also while the first is still running (it waits), after a restart and from another replica.
 * A failure leaves no key behind. Another request under the same key is refused.
 */
export async function once(
  database: Database,
  encryption: Encryption,
  request: IdempotentRequest,
  work: (tx: DatabaseTransaction) => Promise<Answer>,
): Promise<Once> {
  const { organizationId, key, principalId } = request
  if (key === null) return { answer: await transact(database, work), isRepeat: false }
  const requestHash = createHash('sha256').update(request.request).digest()
  const repeated = { organizationId, key, principalId, requestHash }
  try {
    const answer = await transact(database, async (tx) => {
      // Not waited for: the work's first statement is sent with it. Until another request of this key has ended,
      // PostgreSQL carries out neither.
      const isFirst = insertKey(tx, repeated)
      isFirst.catch(() => undefined)
      const done = await work(tx).catch(async (error: unknown) => {
        throw (await isFirst) ? error : new Repeated()
      })
      if (!(await isFirst)) throw new Repeated()
      sendLate(tx, () => storeAnswer(tx, encryption, repeated, done))
      return done
    })
    return { answer, isRepeat: false }
  } catch (error) {
    if (!(error instanceof Repeated)) throw error
    return { answer: await transact(database, (tx) => firstAnswer(tx, encryption, repeated)), isRepeat: true }
  }
}

/** Undoes what was done for a request that an earlier one has answered. */
class Repeated extends Error {}

interface Keyed {
  organizationId: string
  key: string
  principalId: string
  requestHash: Buffer
}

async function insertKey(tx: DatabaseTransaction, keyed: Keyed): Promise<boolean> {
  const { organizationId, key, principalId, requestHash } = keyed
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('idempotency_keys')
    .values({
      organization_id: organizationId,
      key,
      request_hash: requestHash,
      principal_id: principalId,
      status: null,
      body: null,
    })
    .onConflict((conflict) => conflict.columns(['organization_id', 'key']).doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows !== 0n
}

function storeAnswer(
  tx: DatabaseTransaction,
  encryption: Encryption,
  { organizationId, key }: Keyed,
  { status, body }: Answer,
): Promise<unknown> {
  return tx
    .updateTable('idempotency_keys')
    .set({ status, body: encryption.encrypt(body, `${organizationId}:${key}`) })
    .where('organization_id', '=', organizationId)
    .where('key', '=', key)
    .execute()
}

async function firstAnswer(
  tx: DatabaseTransaction,
  encryption: Encryption,
  repeated: Keyed,
): Promise<Answer> {
  const { organizationId, key, principalId, requestHash } = repeated
  const first = await tx
    .selectFrom('idempotency_keys')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('key', '=', key)
    .executeTakeFirstOrThrow()
  const isAnothers = first.principal_id !== null && first.principal_id !== principalId
  if (isAnothers || !first.request_hash.equals(requestHash)) {
    throw new HearthError(
      'idempotency_mismatch',
      'this Idempotency-Key was used for another request: use a new key',
    )
  }
  if (first.body === null || first.status === null)
    throw new Error('an idempotency row was committed without its answer')
  return {
    status: first.status as Answer['status'],
    body: encryption.decrypt(first.body, `${organizationId}:${key}`),
  }
}
