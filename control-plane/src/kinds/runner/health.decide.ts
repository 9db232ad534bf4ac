import type { RunnerHealth } from '@hearth/contract'
import { backoff } from '@hearth/foundation'

/** How a boot on the host ended: ready, or failed for a cause that counts against the host. */
export interface Boot {
  environmentId: string
  /** The same for environments made from the same configuration. */
  configuration: string
  ready: boolean
  at: Date
  message: string
}

/** How environments of the same configuration fared on other hosts. */
export interface Elsewhere {
  ready: number
  failed: number
}

export interface SeenHealth {
  health: RunnerHealth | null
  /** Newest first. */
  boots: readonly Boot[]
  elsewhere: ReadonlyMap<string, Elsewhere>
  /** Pause before an environment is tried on a degraded host; each failed probe doubles it. */
  probePauseMilliseconds: number
  now: Date
}

/** Only boots of this last period count. */
const windowMilliseconds = 3_600_000
const bootsCounted = 10
/** With so many failures, and if at least half of the boots failed, the host gets no new environments. */
const failuresToDegrade = 3
const longestPauseMilliseconds = 1_800_000

/**
 * Judges a host by its own failure rate. A configuration that also fails on other hosts and never became ready on any
 * is itself at fault, and counts neither way. A degraded host is tried again after a pause; one success restores it and
 * resets its history.
 */
export function decide(seen: SeenHealth): RunnerHealth | null {
  const boots = countedBoots(seen)
  return seen.health !== null && seen.health.degradedSince !== null
    ? afterProbes(seen, seen.health, seen.health.degradedSince)
    : beforeDegraded(seen, boots)
}

function countedBoots({ boots, elsewhere, health, now }: SeenHealth): Boot[] {
  const restored =
    health?.restoredAt === undefined || health.restoredAt === null ? 0 : Date.parse(health.restoredAt)
  const from = Math.max(now.getTime() - windowMilliseconds, restored + 1)
  const cameUpHere = new Set(boots.filter(({ ready }) => ready).map(({ configuration }) => configuration))
  const isFaulty = (configuration: string) => {
    const { ready = 0, failed = 0 } = elsewhere.get(configuration) ?? {}
    return failed > 0 && ready === 0 && !cameUpHere.has(configuration)
  }
  return boots
    .filter(({ at, ready, configuration }) => at.getTime() >= from && (ready || !isFaulty(configuration)))
    .slice(0, bootsCounted)
}

function beforeDegraded(seen: SeenHealth, boots: readonly Boot[]): RunnerHealth | null {
  const failures = boots.filter(({ ready }) => !ready)
  const [last] = failures
  const restoredAt = seen.health?.restoredAt ?? null
  const stillNew = restoredAt !== null && Date.parse(restoredAt) > seen.now.getTime() - windowMilliseconds
  if (last === undefined) {
    if (!stillNew) return null
    const clean = { boots: boots.length, failures: 0, lastFailure: null, avoidedUntil: null }
    return { ...clean, degradedSince: null, probes: 0, probeAt: null, restoredAt }
  }
  const inARow = boots.findIndex(({ ready }) => ready)
  const consecutive = inARow === -1 ? boots.length : inARow
  const counted = {
    boots: boots.length,
    failures: failures.length,
    lastFailure: { environmentId: last.environmentId, at: last.at.toISOString(), message: last.message },
    restoredAt,
    probes: 0,
  }
  if (consecutive > 0 && failures.length >= failuresToDegrade && failures.length * 2 >= boots.length) {
    const probeAt = later(seen.now, seen.probePauseMilliseconds)
    return { ...counted, avoidedUntil: null, degradedSince: seen.now.toISOString(), probeAt }
  }
  const pause = backoff(consecutive - 1, {
    first: seen.probePauseMilliseconds,
    most: longestPauseMilliseconds,
  })
  const avoidedUntil = consecutive === 0 ? null : later(last.at, pause)
  return { ...counted, avoidedUntil, degradedSince: null, probeAt: null }
}

function afterProbes(seen: SeenHealth, health: RunnerHealth, degradedSince: string): RunnerHealth {
  const since = Date.parse(degradedSince)
  const cameUp = seen.boots.find(({ ready, at }) => ready && at.getTime() > since)
  if (cameUp !== undefined) {
    const clean = { boots: 0, failures: 0, lastFailure: null, avoidedUntil: null, degradedSince: null }
    return { ...clean, probes: 0, probeAt: null, restoredAt: cameUp.at.toISOString() }
  }
  const probeAt = health.probeAt === null ? since : Date.parse(health.probeAt)
  // A boot that had begun before the host was found degraded is not a probe.
  const failed = seen.boots.find(({ ready, at }) => !ready && at.getTime() >= probeAt)
  if (failed === undefined) return health
  const probes = health.probes + 1
  const pause = backoff(probes, { first: seen.probePauseMilliseconds, most: longestPauseMilliseconds })
  return {
    ...health,
    boots: health.boots + 1,
    failures: health.failures + 1,
    lastFailure: {
      environmentId: failed.environmentId,
      at: failed.at.toISOString(),
      message: failed.message,
    },
    probes,
    probeAt: later(failed.at, pause),
  }
}

function later(time: Date, milliseconds: number): string {
  return new Date(time.getTime() + milliseconds).toISOString()
}
