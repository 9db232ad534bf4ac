import {
  mostMessageBytes,
  observerConsumer,
  observerDomain,
  streams,
  subjects,
  workConsumer,
} from '@hearth/contract'
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
import { systemSubjects } from './revocation.ts'
import { runnerUser } from './runner-user.ts'

const encoding = { algorithm: Algorithms.v2 }
const unlimited = -1
const jetStreamApi = '$JS.API.'
const api = {
  next: `${jetStreamApi}CONSUMER.MSG.NEXT`,
  info: `${jetStreamApi}CONSUMER.INFO`,
  acknowledge: '$JS.ACK',
}

/** The keys and signed claims one Hearth installation's NATS servers and programs are set up with. */
export interface NatsOperator {
  operatorJwt: string
  /** Signs accounts; needed again only to change what stands in them. Keep it away from the servers. */
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
  /**
   * With these the control plane takes runners' credentials back: a key that signs accounts in the operator's name, and
   * the credentials of a user of the system account. Absent in keys that were made before runners could be revoked.
   */
  signingSeed?: string
  systemCredentials?: string
  /** Of all observers of events. Absent in keys that were made before there were any. */
  observerAccountJwt?: string
  observerAccountPublicKey?: string
  /** Signs observers' credentials: given to the control plane. */
  observerAccountSeed?: string
  /** Credentials file text of a user that may use every subject of the account. */
  controlPlaneCredentials: string
}

export interface RunnerCredentialsOptions {
  /** When the server ends the connection and refuses the credentials; never by default. */
  expiresAt?: Date
}

/**
 * Accounts, because permissions alone do not hold a runner or an observer: NATS answers a publish or a pull on whatever
 * reply subject it names, in its own account, and in one account with the streams that could be the subject of another
 * runner's orders.
 */
export async function generateNatsOperator(): Promise<NatsOperator> {
  const operator = createOperator()
  const account = createAccount()
  const runnerAccount = createAccount()
  const user = createUser()
  const signed = { ...encoding, signer: operator }
  const lent = lentServices(toRunners, account.getPublicKey())
  return completeNatsOperator({
    ...(await encodeSystem(operator, runnerAccount.getPublicKey())),
    operatorSeed: seedOf(operator),
    accountJwt: await encodeControlPlaneAccount(account.getPublicKey(), operator),
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
  })
}

/**
 * The same keys with what was not there yet when they were made: an account for observers, and what revokes runners. What
 * was given out stays good.
 */
export async function completeNatsOperator(operator: NatsOperator): Promise<NatsOperator> {
  const observed = operator.observerAccountJwt === undefined ? await withObserverAccount(operator) : operator
  if (observed.systemCredentials !== undefined) return observed
  const signer = fromSeed(new TextEncoder().encode(observed.operatorSeed))
  return { ...observed, ...(await encodeSystem(signer, observed.runnerAccountPublicKey)) }
}

/** The operator with its own system account, whose only user may change what stands in the runners' account. */
async function encodeSystem(operator: KeyPair, runnerAccount: string) {
  const systemAccount = createAccount()
  const signing = createOperator()
  const user = createUser()
  const permissions: Permissions = {
    pub: { allow: [systemSubjects.update, systemSubjects.lookup(runnerAccount)] },
    sub: { allow: ['_INBOX.>'] },
  }
  const jwt = await encodeUser('control-plane revocations', user, systemAccount, permissions, encoding)
  return {
    operatorJwt: await encodeOperator(
      'hearth',
      operator,
      { system_account: systemAccount.getPublicKey(), signing_keys: [signing.getPublicKey()] },
      encoding,
    ),
    systemAccountJwt: await encodeAccount(
      'system',
      systemAccount,
      { limits: connectionLimits },
      { ...encoding, signer: operator },
    ),
    systemAccountPublicKey: systemAccount.getPublicKey(),
    signingSeed: seedOf(signing),
    systemCredentials: new TextDecoder().decode(fmtCreds(jwt, user)),
  }
}

async function withObserverAccount(operator: NatsOperator): Promise<NatsOperator> {
  const signer = fromSeed(new TextEncoder().encode(operator.operatorSeed))
  const account = createAccount()
  const { imports } = lentServices(toObservers, operator.accountPublicKey)
  return {
    ...operator,
    accountJwt: await encodeControlPlaneAccount(operator.accountPublicKey, signer),
    observerAccountJwt: await encodeAccount(
      'hearth observers',
      account,
      { limits: connectionLimits, imports },
      { ...encoding, signer },
    ),
    observerAccountPublicKey: account.getPublicKey(),
    observerAccountSeed: seedOf(account),
  }
}

function encodeControlPlaneAccount(publicKey: string, signer: KeyPair): Promise<string> {
  const exports = [toRunners, toObservers].flatMap((services) => lentServices(services, publicKey).exports)
  const limits = { ...connectionLimits, ...jetStreamLimits }
  return encodeAccount('hearth', publicKey, { limits, exports }, { ...encoding, signer })
}

interface LentService {
  name: string
  subject: string
  response_type: 'Singleton' | 'Stream'
  /** What it is called where it is lent to; the same by default. */
  local_subject?: string
}

/** What runners reach of the account with the streams; each runner's own permissions narrow it to its own. */
const toRunners: readonly LentService[] = [
  { name: 'reports', subject: subjects.allReports, response_type: 'Singleton' },
  { name: 'logs', subject: subjects.allLogs, response_type: 'Singleton' },
  { name: 'presence', subject: subjects.allPresence, response_type: 'Singleton' },
  { name: 'syncs', subject: subjects.allSyncs, response_type: 'Singleton' },
  ...consumersOf(streams.work),
]
/** What observers reach of it, narrowed in the same way. */
const toObservers: readonly LentService[] = consumersOf(streams.event).map((service) =>
  // Under its own name the server would answer, for the account it comes from: that one has no JetStream.
  service.subject.startsWith(jetStreamApi)
    ? { ...service, local_subject: inDomain(service.subject).replace('*', '$1') }
    : service,
)

function consumersOf(stream: string): LentService[] {
  return [
    { name: `next of ${stream}`, subject: `${api.next}.${stream}.*`, response_type: 'Stream' },
    { name: `consumers of ${stream}`, subject: `${api.info}.${stream}.*`, response_type: 'Singleton' },
    {
      name: `acknowledgements of ${stream}`,
      subject: `${api.acknowledge}.${stream}.>`,
      response_type: 'Singleton',
    },
  ]
}

function lentServices(
  services: readonly LentService[],
  account: string,
): { exports: Exports; imports: Imports } {
  return {
    exports: services.map(({ name, subject, response_type }) => ({
      name,
      subject,
      response_type,
      type: 'service',
    })),
    imports: services.map(({ response_type: _, ...service }) => ({ ...service, account, type: 'service' })),
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
  const user = runnerUser(runnerAccountSeed, runnerId)
  const account = fromSeed(new TextEncoder().encode(runnerAccountSeed))
  const jwt = await encodeUser(
    `runner ${runnerId}`,
    user,
    account,
    { ...runnerPermissions(runnerId), ...runnerLimits },
    {
      ...encoding,
      ...(options.expiresAt === undefined ? {} : { exp: Math.floor(options.expiresAt.getTime() / 1_000) }),
    },
  )
  return new TextDecoder().decode(fmtCreds(jwt, user))
}

/**
 * The text of a credentials file with which an observer reads through its own consumer, and does nothing else. The
 * connection must use the inbox prefix `subjects.inbox(observerConsumer(observerId))`.
 */
export async function issueObserverCredentials(
  observerAccountSeed: string,
  observerId: string,
  expiresAt: Date,
): Promise<string> {
  const user = createUser()
  const account = fromSeed(new TextEncoder().encode(observerAccountSeed))
  const consumer = observerConsumer(observerId)
  const permissions: Permissions = {
    pub: { allow: consumerSubjects(`${streams.event}.${consumer}`).map(inDomain) },
    sub: { allow: [`${subjects.inbox(consumer)}.>`] },
  }
  const jwt = await encodeUser(`observer ${observerId}`, user, account, permissions, {
    ...encoding,
    exp: Math.floor(expiresAt.getTime() / 1_000),
  })
  return new TextDecoder().decode(fmtCreds(jwt, user))
}

/** Of one connection of a runner: an agent needs a handful of subscriptions, and its largest message is its inventory. */
const runnerLimits = { subs: 256, data: unlimited, payload: mostMessageBytes.sync + 64 * 1024 }

export function runnerPermissions(runnerId: string): Permissions {
  const consumer = `${streams.work}.${workConsumer(runnerId)}`
  return {
    pub: {
      allow: [
        subjects.reportsOfRunner(runnerId),
        subjects.logsOfRunner(runnerId),
        subjects.presence(runnerId),
        subjects.sync(runnerId),
        ...consumerSubjects(consumer),
      ],
    },
    sub: { allow: [`${subjects.inbox(runnerId)}.>`] },
  }
}

/** What a subject of JetStream's API is called for observers, whose clients are told to use this domain. */
function inDomain(subject: string): string {
  return subject.replace(jetStreamApi, `$JS.${observerDomain}.API.`)
}

/** What using one consumer takes; `consumer` has its stream before it. */
function consumerSubjects(consumer: string): string[] {
  return [`${api.next}.${consumer}`, `${api.info}.${consumer}`, `${api.acknowledge}.${consumer}.>`]
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
