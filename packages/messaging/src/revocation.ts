import { HearthError, toError } from '@hearth/foundation'
import { type Account, Algorithms, type ClaimsData, decode, encodeAccount, fromSeed } from '@nats-io/jwt'
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node'
import { runnerUserKey } from './runner-user.ts'

/** Keys of an installation that can revoke runners' credentials before they expire. */
export interface RevocationKeys {
  /** Text of the credentials file of a user of the system account. */
  systemCredentials: string
  /** One of the operator's signing keys. */
  signingSeed: string
  /** Seed that signs runners' credentials. */
  runnerAccountSeed: string
}

export const systemSubjects = {
  update: '$SYS.REQ.CLAIMS.UPDATE',
  lookup: (account: string) => `$SYS.REQ.ACCOUNT.${account}.CLAIMS.LOOKUP`,
}

const patienceMilliseconds = 5_000
/** Revokes credentials signed at any time: 31 December 9999. A runner's id is never reused. */
const whenever = 253_402_300_799

/**
 * Makes the servers close the connections of these runners and refuse all credentials signed for them, and removes
 * the revocations of all other runners. Does nothing on a server that is up to date; safe to repeat. The servers
 * store the revocations in the account's claims. Throws `unavailable` with what would be right.
 */
export async function revokeRunners(
  servers: readonly string[],
  keys: RevocationKeys,
  runnerIds: readonly string[],
): Promise<'revoked' | 'known'> {
  let connection: NatsConnection | null = null
  try {
    connection = await connect({
      servers: [...servers],
      name: 'control-plane revocations',
      authenticator: credsAuthenticator(new TextEncoder().encode(keys.systemCredentials)),
      reconnect: false,
      timeout: patienceMilliseconds,
    })
    return await revoke(connection, keys, runnerIds)
  } catch (thrown) {
    const why = toError(thrown).message
    throw new HearthError(
      'unavailable',
      `NATS takes no revocations of runners (${why}): it needs the accounts.conf that was made with the control plane’s keys`,
      { cause: thrown },
    )
  } finally {
    await connection?.close()
  }
}

async function revoke(
  connection: NatsConnection,
  keys: RevocationKeys,
  runnerIds: readonly string[],
): Promise<'revoked' | 'known'> {
  const account = fromSeed(new TextEncoder().encode(keys.runnerAccountSeed)).getPublicKey()
  const entries = runnerIds.map((id) => [runnerUserKey(keys.runnerAccountSeed, id), whenever] as const)
  const wanted = Object.fromEntries(entries)
  const known = await lookUp(connection, account)
  if (isSame(known.nats.revocations ?? {}, wanted)) return 'known'
  const claims = { ...known.nats, revocations: wanted }
  const signer = fromSeed(new TextEncoder().encode(keys.signingSeed))
  const jwt = await encodeAccount(known.name, account, claims, { algorithm: Algorithms.v2, signer })
  const answer = await connection.request(systemSubjects.update, jwt, { timeout: patienceMilliseconds })
  const { error } = answer.json<{ error?: { description?: string } }>()
  if (error !== undefined) throw new Error(error.description ?? answer.string())
  // A server keeps the claims that were signed last, and also acknowledges older ones.
  const kept = await lookUp(connection, account)
  if (!isSame(kept.nats.revocations ?? {}, wanted))
    throw new Error(
      'it keeps claims of the runners’ account with a later time: another clock is ahead of this one',
    )
  return 'revoked'
}

async function lookUp(connection: NatsConnection, account: string): Promise<ClaimsData<Account>> {
  const answer = await connection.request(systemSubjects.lookup(account), '', {
    timeout: patienceMilliseconds,
  })
  return decode<Account>(answer.string())
}

function isSame(known: Readonly<Record<string, number>>, wanted: Readonly<Record<string, number>>): boolean {
  const keys = Object.keys(wanted)
  return keys.length === Object.keys(known).length && keys.every((key) => known[key] === wanted[key])
}
