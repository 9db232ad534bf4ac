import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type NatsCredentials,
  type OrderEnvelope,
  type Registration,
  type RunnerFacts,
  type StepStatus,
  subjects,
} from '@hearth/contract'
import { EventLoopWatch, stallLog, toError } from '@hearth/foundation'
import type { Messaging, MessagingOptions } from '@hearth/messaging'
import type { EpochFile } from './lease/epoch-file.ts'
import { Heartbeat } from './lease/heartbeat.ts'
import { Lease } from './lease/lease.ts'
import { createMetrics } from './metrics/metrics.ts'
import { serveHealthAndMetrics } from './metrics/server.ts'
import { Credentials } from './registration/credentials.ts'
import type { LogTarget } from './reporting/log-publisher.ts'
import { Reporter } from './reporting/reporter.ts'
import { Synchroniser } from './synchronising/synchroniser.ts'
import { stallMilliseconds, type Timings } from './timings.ts'
import { AgentWork } from './work/agent-work.ts'
import { callHandler } from './work/call/calls.ts'
import type { HandlerParts, WorkKindOfAgent } from './work/handler-context.ts'
import { MachineChanges } from './work/machine-changes.ts'
import { Guests } from './work/process/guests.ts'

export interface AgentParts extends HandlerParts {
  /** Reads and writes the newest epoch under which an agent has acted on the host. */
  epochs: EpochFile
  /** The kinds of work that the agent does; environments first, because every control plane knows that kind. */
  work: readonly WorkKindOfAgent[]
  listen: { host: string; port: number } | null
  timings: Timings
  readFacts(): Promise<RunnerFacts>
  register(facts: RunnerFacts, signal: AbortSignal): Promise<Registration>
  renewCredentials(signal: AbortSignal): Promise<NatsCredentials>
  connect(options: MessagingOptions): Promise<Messaging>
}

export type AgentEnd = 'stopped' | 'superseded'

/** Hint in the log when the agent ends because another agent has taken over its runner. */
export const supersededHint =
  'another agent acts for this runner, or the runner was removed: end the one that is not wanted; ' +
  'give a host that was copied a runner of its own with `hearth runner join`'

const flushSeconds = 10

/**
 * An agent's whole life: registers, then looks after its host until the signal aborts or a newer agent takes over.
 * Guests keep running when it ends.
 */
export async function runAgent(parts: AgentParts, signal: AbortSignal): Promise<AgentEnd> {
  try {
    return await registerAndAct(parts, signal)
  } catch (thrown) {
    // The agent was stopped while it was still waiting for the control plane or for NATS.
    if (signal.aborted && (thrown === signal.reason || toError(thrown).name === 'AbortError'))
      return 'stopped'
    throw thrown
  }
}

async function registerAndAct(parts: AgentParts, signal: AbortSignal): Promise<AgentEnd> {
  const { host, log, runnerId, clock, timings } = parts
  const closing = new AbortController()
  const facts = await parts.readFacts()
  const actedUnder = await parts.epochs.read()
  let registration = await parts.register(facts, signal)
  // A control plane restored from a backup may hand out an epoch older than one that its hosts have seen.
  while (registration.epoch < actedUnder) registration = await parts.register(facts, signal)
  const { epoch, nats } = registration
  log.info({ runnerId, epoch, facts }, 'registered')
  await parts.epochs.raise(epoch)
  const now = () => performance.now()
  const newestEpoch = () => parts.epochs.read()
  const lease = new Lease({ epoch, milliseconds: timings.lease, newestEpoch, now })
  const stopping = AbortSignal.any([signal, lease.lost])
  // Every kind of work waits with it in a few places: more than the ten after which Node.js suspects a leak.
  setMaxListeners(50, stopping)
  lease.lost.addEventListener('abort', () => {
    log.error({ reason: toError(lease.lost.reason).message, hint: supersededHint }, 'this agent stops acting')
  })

  const credentials = new Credentials({
    given: nats,
    renew: parts.renewCredentials,
    refused: (reason) => lease.lose(`no credentials for NATS are given any more: ${reason}`),
    now,
    log,
  })
  let synchroniser: Synchroniser | null = null
  // Starts before NATS answers: the first connection may take longer than the credentials are valid.
  const renewing = credentials.run(AbortSignal.any([stopping, closing.signal]))
  const connecting = parts.connect({
    servers: nats.servers,
    ...(nats.credentials === null ? {} : { credentials: credentials.current }),
    name: `runner ${runnerId}`,
    inboxPrefix: subjects.inbox(runnerId),
    work: parts.work.map(({ messages }) => messages),
    signal: stopping,
    onStatus: (status, detail) => {
      log.info({ status, detail }, 'NATS connection')
      if (status === 'reconnected') synchroniser?.again()
      if (status === 'denied') credentials.doubt()
    },
    onProblem: (subject, problem) =>
      log.warn({ subject, error: problem }, 'a message from NATS was not handled'),
  })
  const messaging = await connecting.catch((thrown: unknown) => {
    closing.abort(new Error('NATS was not reached'))
    throw thrown
  })

  const identity = { runnerId, epoch }
  const tracked = new Set<Promise<unknown>>()
  const reporter = new Reporter(messaging, identity, clock, log, closing.signal, timings.progressReport)
  const metrics = createMetrics({
    environments: () => work.environments,
    pendingReports: () => reporter.pending,
  })
  const logStall = stallLog((fields, text) => log.warn(fields, text))
  using eventLoop = new EventLoopWatch({
    stallMilliseconds,
    onStall: (stall) => {
      metrics.stalled(stall)
      logStall(stall)
    },
  })
  const stepEnded = (step: StepStatus) => {
    eventLoop.note(`step ${step.name}`)
    metrics.stepEnded(step)
  }
  const publishLog: LogTarget['publishLog'] = (ownId, chunk) => {
    eventLoop.note(`output of ${chunk.step}`)
    return messaging.publishLog(ownId, chunk)
  }
  const track = (work: Promise<unknown>) => {
    const kept = work.finally(() => tracked.delete(kept))
    tracked.add(kept)
  }
  const pausedMachinesMilliseconds = timings.pausedMachines
  const guests = new Guests(parts.openGuest)
  const machineChanges = new MachineChanges()
  const given = {
    ...parts,
    pausedMachinesMilliseconds,
    activityMilliseconds: timings.activity,
    publishLog,
    closing: closing.signal,
    stepEnded,
    guests,
    machineChanges,
    track,
  }
  const work = new AgentWork(
    parts.work.map((kind) => kind.handler(given)),
    {
      lease,
      reporter,
      now,
      retryMostMilliseconds: timings.retryMost,
      unkeptFailureMilliseconds: timings.unkeptFailure,
      log,
      stopping,
    },
    identity,
  )
  synchroniser = new Synchroniser({
    target: messaging,
    kinds: work.kinds,
    runnerId,
    lease,
    timings,
    log,
    now,
    random: Math.random,
  })
  const heartbeat = new Heartbeat({
    target: messaging,
    runnerId,
    lease,
    facts,
    readFacts: async () => {
      const read = await parts.readFacts()
      const warnings = [...(read.warnings ?? []), ...work.warnings]
      return warnings.length === 0 ? read : { ...read, warnings }
    },
    environments: () => work.environments,
    intervalMilliseconds: timings.heartbeat,
    clock,
    now,
    log,
    confirm: () => synchroniser?.again(),
  })
  const { machines } = host
  const calls = callHandler({
    ...{ runnerId, lease, machines, machineChanges, guests, log, now },
    openGuestPort: parts.openGuestPort,
    sealingKey: parts.sealingKey,
  })
  // Say goodbye at once, before waiting for the work below to end.
  stopping.addEventListener('abort', () => void work.settle())
  const server =
    parts.listen === null
      ? null
      : await serveHealthAndMetrics(parts.listen, metrics.registry, messaging.isConnected)

  const take = async (order: OrderEnvelope) => {
    eventLoop.note('an order')
    if (work.put(order) !== 'superseded') return
    const reason = `an order of epoch ${order.epoch} came, this agent has ${epoch}`
    lease.lose(reason)
    // The order is not acknowledged: it is for the newer agent, which shares this consumer.
    throw new Error(reason)
  }
  try {
    await Promise.all([
      messaging.consumeOrders(runnerId, take, stopping),
      messaging.serveCalls(runnerId, calls, stopping),
      synchroniser.run(stopping),
      work.listen(stopping),
      heartbeat.run(stopping),
      renewing,
    ])
  } finally {
    await work.settle()
    const flushed = Promise.all([reporter.flush(), ...tracked]).then(() => true)
    const inTime = await Promise.race([flushed, delay(flushSeconds * 1000, false, { ref: false })])
    if (!inTime) log.warn('stopping before all reports were stored')
    closing.abort(new Error('the agent stops'))
    server?.close()
    server?.closeAllConnections()
    if (!lease.lost.aborted) heartbeat.leave()
    await messaging.close()
    await host.close()
  }
  return lease.lost.aborted ? 'superseded' : 'stopped'
}
