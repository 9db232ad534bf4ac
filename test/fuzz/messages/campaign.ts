import { toError } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import { headers } from '@nats-io/transport-node'
import fc from 'fast-check'
import {
  type HostileRunner,
  startHostileRunner,
  startVictim,
  type Victim,
} from '../../system/hostile-party.ts'
import { type Installation, startInstallation } from '../../system/installation.ts'
import { anyMessage, type Message } from './message.ts'

interface CampaignOptions {
  count: number
  seed: number
  tell(line: string): void
}

export interface CampaignResult {
  sent: number
  /** Everything harmed, each with the seed and the messages before it. */
  failures: string[]
  /**
   * Median time until a change of the other runner's machine was reported, before and during the campaign, in
   * milliseconds.
   */
  calm: number
  busy: number
}

/** Number of messages between two checks of who is harmed. */
const batch = 250
const roundTrips = 8
/** Slack for a report's latency on any host, in addition to a factor of two. */
const toleranceMilliseconds = 250

/** Makes a hostile runner send `count` messages, and checks meanwhile whether anybody but itself is harmed. */
export async function fuzzMessages({ count, seed, tell }: CampaignOptions): Promise<CampaignResult> {
  const failures: string[] = []
  const crashed = (error: unknown) => failures.push(`seed ${seed}: nobody caught ${toError(error).stack}`)
  process.on('unhandledRejection', crashed)
  process.on('uncaughtException', crashed)
  try {
    await using installation = await startInstallation({ overrides: { timings: { runnerLease: 5_000 } } })
    await using victim = await startVictim(installation)
    await using hostile = await startHostileRunner(installation)
    const before = await belongingsOf(installation)
    const calm = await medianRoundTrip(installation, victim)
    const message = anyMessage({
      hostile,
      environmentIds: [victim.environmentId, hostile.runnerId],
      runnerIds: [victim.agent.runner.metadata.id],
    })
    let sent = 0
    let busy = 0
    const sending = async () => {
      for (; sent < count; sent += batch) {
        const numRuns = Math.min(batch, count - sent)
        await send(hostile, fc.sample(message, { numRuns, seed: seed + sent }))
        const hurt = await whoIsHurt(installation, victim)
        if (hurt !== null) failures.push(`seed ${seed}, messages ${sent} to ${sent + numRuns}: ${hurt}`)
        if (sent % 5_000 === 0) tell(`${sent + numRuns} messages, ${failures.length} failures`)
      }
    }
    const measuring = async () => {
      busy = await medianRoundTrip(installation, victim)
    }
    await Promise.all([sending(), measuring()])
    if (busy > 2 * calm + toleranceMilliseconds)
      failures.push(`seed ${seed}: a report of the other runner took ${busy} ms, before it took ${calm} ms`)
    const after = await belongingsOf(installation)
    if (after !== before)
      failures.push(`seed ${seed}: the other organization has changed from ${before} to ${after}`)
    return { sent: Math.min(sent, count), failures, calm, busy }
  } finally {
    process.off('unhandledRejection', crashed)
    process.off('uncaughtException', crashed)
  }
}

async function send({ nats }: HostileRunner, messages: readonly Message[]): Promise<void> {
  for (const { subject, payload, messageId, reply } of messages) {
    const ids = headers()
    if (messageId !== null) ids.set('Nats-Msg-Id', messageId)
    nats.publish(subject, payload, { headers: ids, ...(reply === null ? {} : { reply }) })
  }
  await nats.flush()
}

async function whoIsHurt({ url }: Installation, victim: Victim): Promise<string | null> {
  const ready = await fetch(`${url}/healthz/ready`, { signal: AbortSignal.timeout(5_000) }).catch(toError)
  if (ready instanceof Error || ready.status !== 200)
    return `the control plane is not ready: ${ready instanceof Error ? ready.message : ready.status}`
  const { environmentId, claimId } = await victim.holds()
  if (environmentId !== victim.environmentId || claimId !== victim.claimId)
    return `the other's claim ${claimId} is on ${environmentId}`
  return victim.isHeard().then(
    () => null,
    (error: unknown) => `the other runner is not heard: ${toError(error).message}`,
  )
}

/** The rows of the other organization that nobody else may change, as text. */
async function belongingsOf({ client }: Installation): Promise<string> {
  const runners = await client.runners.listAll({})
  const projects = await client.projects.listAll({})
  return JSON.stringify({
    runners: runners.map(({ metadata, spec, status: { phase, epoch, facts } }) => ({
      id: metadata.id,
      spec,
      phase,
      epoch,
      facts,
    })),
    projects: projects.map(({ metadata, specVersion }) => ({ id: metadata.id, specVersion })),
    environments: (await client.environments.listAll({})).map(({ metadata }) => metadata.id).sort(),
  })
}

async function medianRoundTrip({ client }: Installation, { environmentId }: Victim): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < roundTrips; round += 1) {
    const desiredPhase = round % 2 === 0 ? 'stopped' : 'running'
    const begun = performance.now()
    await client.environments.update(environmentId, { spec: { desiredPhase } })
    const isThere = async () => (await client.environments.get(environmentId)).status.phase === desiredPhase
    await eventually(isThere, { timeoutMilliseconds: 30_000 })
    times.push(performance.now() - begun)
  }
  return Math.round(times.sort((one, other) => one - other)[Math.floor(times.length / 2)] ?? 0)
}
