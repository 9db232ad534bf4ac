import { streams, subjects, workConsumer } from '@hearth/contract'
import {
  Algorithms,
  createAccount,
  createOperator,
  createUser,
  type Exports,
  encodeAccount,
  encodeOperator,
  encodeUser,
  fmtCreds,
  fromSeed,
  type Imports,
  type KeyPair,
  type Permissions,
} from '@nats-io/jwt'

const encoding = { algorithm: Algorithms.v2 }
const unlimited = -1
const api = {
  next: '$JS.API.CONSUMER.MSG.NEXT',
  info: '$JS.API.CONSUMER.INFO',
  acknowledge: '$JS.ACK',
}

/** The keys and signed claims one Hearth installation's NATS servers and programs are set up with. */
export interface NatsOperator {
  operatorJwt: string
  /** Signs accounts; needed again only to change one. Keep it away from the servers. */
  operatorSeed: string
  systemAccountJwt: string
  systemAccountPublicKey: string
  /** Of the control plane, with the streams. */
  accountJwt: string
  accountPublicKey: string
  /** Of all runners; it holds nothing, and sees of the other account what that one lends it. */
  runnerAccountJwt: string
  runnerAccountPublicKey: string
  /** Signs runners' credentials, as an account's seed does: given to the control plane. */
  runnerAccountSeed: string
  /** Credentials file text of a user that may use every subject of the account. */
  controlPlaneCredentials: string
}

export interface RunnerCredentialsOptions {
  /** When the server ends the connection and refuses the credentials; never by default. */
  expiresAt?: Date
}

/**
 * Two accounts, because permissions alone do not hold a runner: NATS answers a publish or a pull on whatever reply
 * subject it names, in the runner's own account, and in one account with the streams that could be the subject of
 * another runner's orders.
 */
export async function generateNatsOperator(): Promise<NatsOperator> {
  const operator = createOperator()
  const systemAccount = createAccount()
  const account = createAccount()
  const runnerAccount = createAccount()
  const user = createUser()
  const signed = { ...encoding, signer: operator }
  const lent = lentServices(account.getPublicKey())
  return {
    operatorJwt: await encodeOperator(
      'hearth',
      operator,
      { system_account: systemAccount.getPublicKey() },
      encoding,
    ),
    operatorSeed: seedOf(operator),
    systemAccountJwt: await encodeAccount('system', systemAccount, { limits: connectionLimits }, signed),
    systemAccountPublicKey: systemAccount.getPublicKey(),
    accountJwt: await encodeAccount(
      'hearth',
      account,
      { limits: { ...connectionLimits, ...jetStreamLimits }, exports: lent.exports },
      signed,
    ),
    accountPublicKey: account.getPublicKey(),
    runnerAccountJwt: await encodeAccount(
      'hearth runners',
      runnerAccount,
      { limits: connectionLimits, imports: lent.imports },
      signed,
    ),
    runnerAccountPublicKey: runnerAccount.getPublicKey(),
    runnerAccountSeed: seedOf(runnerAccount),
    controlPlaneCredentials: new TextDecoder().decode(
      fmtCreds(await encodeUser('control-plane', user, account, {}, encoding), user),
    ),
  }
}

/** What runners reach of the account with the streams; each runner's own permissions narrow it to its own. */
function lentServices(account: string): { exports: Exports; imports: Imports } {
  const services: { name: string; subject: string; response_type: 'Singleton' | 'Stream' }[] = [
    { name: 'reports', subject: subjects.allReports, response_type: 'Singleton' },
    { name: 'logs', subject: subjects.allLogs, response_type: 'Singleton' },
    { name: 'presence', subject: subjects.allPresence, response_type: 'Singleton' },
    { name: 'syncs', subject: subjects.allSyncs, response_type: 'Singleton' },
    { name: 'next orders', subject: `${api.next}.${streams.work}.*`, response_type: 'Stream' },
    { name: 'consumer', subject: `${api.info}.${streams.work}.*`, response_type: 'Singleton' },
    { name: 'acknowledgements', subject: `${api.acknowledge}.${streams.work}.>`, response_type: 'Singleton' },
  ]
  return {
    exports: services.map((service) => ({ ...service, type: 'service' })),
    imports: services.map(({ name, subject }) => ({ name, subject, account, type: 'service' })),
  }
}

/**
 * The text of a credentials file with which a runner reaches its own subjects, its own inbox and its own consumer,
 * and nothing else. The connection must use the inbox prefix `subjects.inbox(runnerId)`.
 */
export async function issueRunnerCredentials(
  runnerAccountSeed: string,
  runnerId: string,
  options: RunnerCredentialsOptions = {},
): Promise<string> {
  const user = createUser()
  const account = fromSeed(new TextEncoder().encode(runnerAccountSeed))
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
        `${api.next}.${consumer}`,
        `${api.info}.${consumer}`,
        `${api.acknowledge}.${consumer}.>`,
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
