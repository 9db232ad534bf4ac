import {
  callLimits,
  mostMessageBytes,
  observerConsumer,
  observerDomain,
  streams,
  subjects,
  workConsumer,
} from '@hearth/contract'
import {
  type Account,
  Algorithms,
  createAccount,
  createOperator,
  createUser,
  decode,
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

/** The keys and signed claims with which the NATS servers and programs of one Hearth installation are set up. */
export interface NatsOperator {
  operatorJwt: string
  /** Signs accounts; needed again only to change their claims. Keep it away from the servers. */
  operatorSeed: string
  systemAccountJwt: string
  systemAccountPublicKey: string
  /** Account of the control plane, which has the streams. */
  accountJwt: string
  accountPublicKey: string
  /** Account of all runners. It has no streams; it imports only what the control plane's account exports. */
  runnerAccountJwt: string
  runnerAccountPublicKey: string
  /** Seed that signs runners' credentials; given to the control plane. */
  runnerAccountSeed: string
  /**
   * With these the control plane revokes runners' credentials: a key that signs accounts in the operator's name, and
   * the credentials of a user of the system account. Absent in keys created before runners could be revoked.
   */
  signingSeed?: string
  systemCredentials?: string
  /** Account of all observers of events. Absent in keys created before there were observers. */
  observerAccountJwt?: string
  observerAccountPublicKey?: string
  /** Seed that signs observers' credentials; given to the control plane. */
  observerAccountSeed?: string
  /** Text of the credentials file of a user that may use every subject of the account. */
  controlPlaneCredentials: string
}

export interface RunnerCredentialsOptions {
  /** When the credentials expire and the server ends the connection; never by default. */
  expiresAt?: Date
}

/**
 * Runners and observers have accounts of their own, because permissions alone do not contain them: NATS sends the
 * answer to a publish or a pull to any reply subject that the client names in its account, and in one account with
 * the streams that could be the subject of another runner's orders.
 */
export async function generateNatsOperator(): Promise<NatsOperator> {
  const operator = createOperator()
  const account = createAccount()
  const runnerAccount = createAccount()
  const user = createUser()
  return completeNatsOperator({
    ...(await encodeSystem(operator, runnerAccount.getPublicKey())),
    operatorSeed: seedOf(operator),
    ...(await encodeAccounts(account.getPublicKey(), runnerAccount.getPublicKey(), operator)),
    accountPublicKey: account.getPublicKey(),
    runnerAccountPublicKey: runnerAccount.getPublicKey(),
    runnerAccountSeed: seedOf(runnerAccount),
    controlPlaneCredentials: new TextDecoder().decode(
      fmtCreds(await encodeUser('control-plane', user, account, {}, encoding), user),
    ),
  })
}

/**
 * Adds to existing keys what is missing in them: what the accounts of the control plane and of the runners lend each other,
 * an account for observers, and the keys that revoke runners. Credentials already issued stay valid.
 */
export async function completeNatsOperator(operator: NatsOperator): Promise<NatsOperator> {
  const lent = lendsCalls(operator.runnerAccountJwt) ? operator : await withCalls(operator)
  const observed = lent.observerAccountJwt === undefined ? await withObserverAccount(lent) : lent
  if (observed.systemCredentials !== undefined) return observed
  const signer = fromSeed(new TextEncoder().encode(observed.operatorSeed))
  return { ...observed, ...(await encodeSystem(signer, observed.runnerAccountPublicKey)) }
}

/** The operator with a system account, whose only user may change the claims of the runners' account. */
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

async function withCalls(operator: NatsOperator): Promise<NatsOperator> {
  const signer = fromSeed(new TextEncoder().encode(operator.operatorSeed))
  const { accountPublicKey, runnerAccountPublicKey } = operator
  return { ...operator, ...(await encodeAccounts(accountPublicKey, runnerAccountPublicKey, signer)) }
}

const lendsCalls = (runnerAccountJwt: string) =>
  decode<Account>(runnerAccountJwt).nats.exports?.some(({ subject }) => subject === subjects.allCalls) ===
  true

/** The claims of the accounts of the control plane and of the runners. */
async function encodeAccounts(
  account: string,
  runnerAccount: string,
  signer: KeyPair,
): Promise<Pick<NatsOperator, 'accountJwt' | 'runnerAccountJwt'>> {
  const signed = { ...encoding, signer }
  const fromControlPlane = [toRunners, toObservers].flatMap(
    (services) => lentServices(services, account).exports,
  )
  const fromRunners = lentServices(toControlPlane, runnerAccount)
  const limits = { ...connectionLimits, ...jetStreamLimits }
  return {
    accountJwt: await encodeAccount(
      'hearth',
      account,
      { limits, exports: fromControlPlane, imports: fromRunners.imports },
      signed,
    ),
    runnerAccountJwt: await encodeAccount(
      'hearth runners',
      runnerAccount,
      {
        limits: connectionLimits,
        imports: lentServices(toRunners, account).imports,
        exports: fromRunners.exports,
      },
      signed,
    ),
  }
}

interface LentService {
  name: string
  subject: string
  response_type: 'Singleton' | 'Stream'
  /** Name in the importing account; the same by default. */
  local_subject?: string
}

/**
 * What the account with the streams exports to runners; each runner's own permissions narrow it to its own subjects.
 */
const toRunners: readonly LentService[] = [
  { name: 'reports', subject: subjects.allReports, response_type: 'Singleton' },
  { name: 'logs', subject: subjects.allLogs, response_type: 'Singleton' },
  { name: 'presence', subject: subjects.allPresence, response_type: 'Singleton' },
  { name: 'syncs', subject: subjects.allSyncs, response_type: 'Singleton' },
  ...consumersOf(streams.work),
]
/** What the account of the runners exports to the control plane: each agent answers what it is asked. */
const toControlPlane: readonly LentService[] = [
  { name: 'calls', subject: subjects.allCalls, response_type: 'Stream' },
]
/** What the account with the streams exports to observers, narrowed in the same way. */
const toObservers: readonly LentService[] = consumersOf(streams.event).map((service) =>
  // Under its original name the server itself would answer for the importing account, which has no JetStream.
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
 * The text of a credentials file for a runner: it allows its own subjects, its own inbox and its own consumer, and
 * nothing else. The connection must use the inbox prefix `subjects.inbox(runnerId)`.
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
 * The text of a credentials file for an observer: it allows reading through the observer's own consumer, and nothing
 * else. The connection must use the inbox prefix `subjects.inbox(observerConsumer(observerId))`.
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

/**
 * Limits of one connection of a runner: an agent needs a handful of subscriptions, and its largest message is its
 * inventory.
 */
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
    sub: { allow: [`${subjects.inbox(runnerId)}.>`, subjects.call(runnerId)] },
    // It may answer what it was asked, and where it was asked to.
    resp: { max: mostAnswers, ttl: answeringSeconds * 1e9 },
  }
}

/** The parts of an answer, and as many signs of life as the longest call needs. */
const mostAnswers = 2_000
const answeringSeconds = callLimits.longestSeconds + 300

/** Name of a JetStream API subject for observers, whose clients are told to use this domain. */
function inDomain(subject: string): string {
  return subject.replace(jetStreamApi, `$JS.${observerDomain}.API.`)
}

/** Permissions needed to use one consumer; `consumer` includes its stream. */
function consumerSubjects(consumer: string): string[] {
  return [`${api.next}.${consumer}`, `${api.info}.${consumer}`, `${api.acknowledge}.${consumer}.>`]
}

// The server takes a missing number as zero, so every unlimited value is stated.
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
