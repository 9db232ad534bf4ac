import { HearthError, toError } from '@hearth/foundation'
import { type Account, Algorithms, type ClaimsData, decode, encodeAccount, fromSeed } from '@nats-io/jwt'
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node'
import { runnerUserKey } from './runner-user.ts'

/** What an installation is given that may take runners' credentials back before they end. */
export interface RevocationKeys {
  /** Of a user of the system account: the text of a credentials file. */
  systemCredentials: string
  /** One of the operator's signing keys. */
  signingSeed: string
  /** What signs runners' credentials. */
  runnerAccountSeed: string
}

export const systemSubjects = {
  update: '$SYS.REQ.CLAIMS.UPDATE',
  lookup: (account: string) => `$SYS.REQ.ACCOUNT.${account}.CLAIMS.LOOKUP`,
}

const patienceMilliseconds = 5_000
/** Whenever they were signed: 31 December 9999. No runner's id is ever given out again. */
const whenever = 253_402_300_799

/**
 * Has the servers end the connections of these runners, refuse all that was ever signed for them, and forget those that
 * are not among them. Says nothing to a server that knows it already; safe to repeat. The servers keep it, since it
 * stands in the account's own claims. Throws `unavailable`, saying what would be right.
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
  // A server keeps the claims that were signed last, and says yes to older ones all the same.
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
