import { setTimeout as delay } from 'node:timers/promises'
import {
  type EnvironmentOrder,
  heartbeatSeconds,
  type Registration,
  type RunnerFacts,
  type StepName,
  subjects,
} from '@hearth/contract'
import { type Clock, toError } from '@hearth/foundation'
import type { Messaging, MessagingOptions } from '@hearth/messaging'
import type { Logger } from 'pino'
import type { OpenGuest } from './guest/guest.ts'
import type { Host } from './host/host.ts'
import { createMetrics } from './observing/metrics.ts'
import { serveObservation } from './observing/server.ts'
import { Reporter } from './reporting/reporter.ts'
import { Synchroniser } from './synchronising/synchroniser.ts'
import { EnvironmentInbox } from './work/environment/inbox.ts'
import { Slots } from './work/environment/slots.ts'

export interface AgentParts {
  host: Host
  openGuest: OpenGuest
  runnerId: string
  /** PEM of the key that secrets are sealed to. */
  sealingKey: string
  bootConcurrency: number
  stepDeadlines: Partial<Record<StepName, number>>
  listen: { host: string; port: number } | null
  clock: Clock
  log: Logger
  readFacts(): Promise<RunnerFacts>
  register(facts: RunnerFacts, signal: AbortSignal): Promise<Registration>
  connect(options: MessagingOptions): Promise<Messaging>
}

export type AgentEnd = 'stopped' | 'superseded'

const flushSeconds = 10

/**
 * An agent's whole life: registers, then looks after its host until the signal aborts or a newer agent takes over.
 * Guests keep running when it ends.
 */
export async function runAgent(parts: AgentParts, signal: AbortSignal): Promise<AgentEnd> {
  const { host, log, runnerId, clock } = parts
  const taken = new AbortController()
  const stopping = AbortSignal.any([signal, taken.signal])
  const closing = new AbortController()
  const superseded = (reason: string) => {
    if (taken.signal.aborted) return
    log.error({ reason }, 'this agent stops acting: the runner is not its own any more')
    taken.abort(new Error(reason))
  }

  let facts = await parts.readFacts()
  const { epoch, nats } = await parts.register(facts, stopping)
  log.info({ runnerId, epoch, facts }, 'registered')

  let synchroniser: Synchroniser | null = null
  const messaging = await parts.connect({
    servers: nats.servers,
    ...(nats.credentials === null ? {} : { credentials: nats.credentials }),
    name: `runner ${runnerId}`,
    inboxPrefix: subjects.inbox(runnerId),
    signal: stopping,
    onStatus: (status, detail) => {
      log.info({ status, detail }, 'NATS connection')
      if (status === 'reconnected') synchroniser?.again()
    },
    onProblem: (subject, problem) => log.warn({ subject, error: problem }, 'a message was not taken'),
  })

  const identity = { runnerId, epoch }
  const tracked = new Set<Promise<unknown>>()
  const reporter = new Reporter(messaging, identity, clock, log, closing.signal)
  const metrics = createMetrics({ environments: () => inbox.size, pendingReports: () => reporter.pending })
  const inbox: EnvironmentInbox = new EnvironmentInbox(
    {
      host,
      openGuest: parts.openGuest,
      reporter,
      logs: messaging,
      clock,
      log,
      bootSlots: new Slots(parts.bootConcurrency),
      deadlines: parts.stepDeadlines,
      sealingKey: parts.sealingKey,
      stopping,
      closing: closing.signal,
      stepEnded: metrics.stepEnded,
      track: (work) => {
        const kept = work.finally(() => tracked.delete(kept))
        tracked.add(kept)
      },
    },
    identity,
  )
  synchroniser = new Synchroniser({ target: messaging, host, inbox, identity, log, superseded })
  const server =
    parts.listen === null
      ? null
      : await serveObservation(parts.listen, metrics.registry, messaging.isConnected)

  const take = async (order: EnvironmentOrder) => {
    const receipt = inbox.put(order)
    if (receipt === 'superseded') {
      const reason = `an order of epoch ${order.epoch} came, this agent has ${epoch}`
      superseded(reason)
      // Not acknowledged: it is for the agent that took over, which shares the consumer.
      throw new Error(reason)
    }
    if (receipt !== 'taken') {
      log.info(
        { environmentId: order.id, epoch: order.epoch, generation: order.generation, receipt },
        'order refused',
      )
    }
  }
  const beat = async () => {
    while (!stopping.aborted) {
      messaging.publishPresence({
        ...identity,
        facts,
        environments: inbox.size,
        sentAt: clock.now().toISOString(),
      })
      await delay(heartbeatSeconds * 1000, undefined, { signal: stopping }).catch(() => undefined)
      facts = await parts.readFacts().catch((thrown: unknown) => {
        log.warn({ error: toError(thrown) }, 'the host’s facts cannot be read')
        return facts
      })
    }
  }
  try {
    await Promise.all([
      messaging.consumeOrders(runnerId, take, stopping),
      synchroniser.run(stopping),
      host.watch((environmentId) => inbox.wake(environmentId), stopping),
      beat(),
    ])
  } finally {
    await inbox.settle()
    const flushed = Promise.all([reporter.flush(), ...tracked]).then(() => true)
    const inTime = await Promise.race([flushed, delay(flushSeconds * 1000, false, { ref: false })])
    if (!inTime) log.warn('not everything reported could be stored before the stop')
    closing.abort(new Error('the agent stops'))
    server?.close()
    server?.closeAllConnections()
    await messaging.close()
    await host.close()
  }
  return taken.signal.aborted ? 'superseded' : 'stopped'
}
