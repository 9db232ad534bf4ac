import { streams, subjects, workConsumer } from '@hearth/contract'
import {
  Algorithms,
  createAccount,
  createOperator,
  createUser,
  encodeAccount,
  encodeOperator,
  encodeUser,
  fmtCreds,
  fromSeed,
  type KeyPair,
  type Permissions,
} from '@nats-io/jwt'

const encoding = { algorithm: Algorithms.v2 }
const unlimited = -1

/** The keys and signed claims one Hearth installation's NATS servers and programs are set up with. */
export interface NatsOperator {
  operatorJwt: string
  /** Signs accounts; needed again only to change one. Keep it away from the servers. */
  operatorSeed: string
  systemAccountJwt: string
  systemAccountPublicKey: string
  accountJwt: string
  accountPublicKey: string
  /** Signs runners' credentials: given to the control plane. */
  accountSeed: string
  /** Credentials file text of a user that may use every subject of the account. */
  controlPlaneCredentials: string
}

export interface RunnerCredentialsOptions {
  /** When the server ends the connection and refuses the credentials; never by default. */
  expiresAt?: Date
}

export async function generateNatsOperator(): Promise<NatsOperator> {
  const operator = createOperator()
  const systemAccount = createAccount()
  const account = createAccount()
  const user = createUser()
  const userJwt = await encodeUser('control-plane', user, account, {}, encoding)
  return {
    operatorJwt: await encodeOperator(
      'hearth',
      operator,
      { system_account: systemAccount.getPublicKey() },
      encoding,
    ),
    operatorSeed: seedOf(operator),
    systemAccountJwt: await encodeAccount(
      'system',
      systemAccount,
      { limits: connectionLimits },
      { ...encoding, signer: operator },
    ),
    systemAccountPublicKey: systemAccount.getPublicKey(),
    accountJwt: await encodeAccount(
      'hearth',
      account,
      { limits: { ...connectionLimits, ...jetStreamLimits } },
      { ...encoding, signer: operator },
    ),
    accountPublicKey: account.getPublicKey(),
    accountSeed: seedOf(account),
    controlPlaneCredentials: new TextDecoder().decode(fmtCreds(userJwt, user)),
  }
}

/**
 * The text of a credentials file with which a runner reaches its own subjects, its own inbox and its own consumer,
 * and nothing else. The connection must use the inbox prefix `subjects.inbox(runnerId)`.
 */
export async function issueRunnerCredentials(
  accountSeed: string,
  runnerId: string,
  options: RunnerCredentialsOptions = {},
): Promise<string> {
  const user = createUser()
  const account = fromSeed(new TextEncoder().encode(accountSeed))
  const jwt = await encodeUser(`runner ${runnerId}`, user, account, runnerPermissions(runnerId), {
    ...encoding,
    ...(options.expiresAt === undefined ? {} : { exp: Math.floor(options.expiresAt.getTime() / 1_000) }),
  })
  return new TextDecoder().decode(fmtCreds(jwt, user))
}

export function runnerPermissions(runnerId: string): Permissions {
  const consumer = `${streams.work}.${workConsumer(runnerId)}`
  return {
    pub: {
      allow: [
        subjects.reportsOfRunner(runnerId),
        subjects.logsOfRunner(runnerId),
        subjects.presence(runnerId),
        subjects.sync(runnerId),
        `$JS.API.CONSUMER.MSG.NEXT.${consumer}`,
        `$JS.API.CONSUMER.INFO.${consumer}`,
        `$JS.ACK.${consumer}.>`,
      ],
    },
    sub: { allow: [`${subjects.inbox(runnerId)}.>`] },
  }
}

// Absent numbers mean zero to the server, so each that should not limit is said.
const connectionLimits = {
  subs: unlimited,
  data: unlimited,
  payload: unlimited,
  imports: unlimited,
  exports: unlimited,
  wildcards: true,
  conn: unlimited,
  leaf: unlimited,
}
const jetStreamLimits = {
  mem_storage: unlimited,
  disk_storage: unlimited,
  streams: unlimited,
  consumer: unlimited,
}

function seedOf(pair: KeyPair): string {
  return new TextDecoder().decode(pair.getSeed())
}
