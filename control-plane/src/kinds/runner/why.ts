import type { Evidence, Explanation, Runner } from '@hearth/contract'
import { assertNever, spokenTime } from '@hearth/foundation'

/** An environment on the runner, as far as the runner's state affects it. */
export interface HeldMachine {
  name: string
  claim: string | null
  going: boolean
}

export interface RunnerSight {
  runner: Runner
  /** Not deleted; claimed ones first. */
  machines: readonly HeldMachine[]
}

type Reasons = Pick<Explanation, 'sentence' | 'evidence' | 'next'>

/** Why a runner is in the phase it is in. Pure. */
export function explain(seen: RunnerSight): Reasons {
  const { runner } = seen
  const { phase, lastSeenAt } = runner.status
  const heard: Evidence = { what: 'last heartbeat', at: lastSeenAt }
  const evidence = [heard, ...serving(runner), ...holding(seen)]
  const { name } = runner.metadata
  switch (phase) {
    case 'created':
      return {
        sentence: 'its agent has never registered',
        evidence: [{ what: 'made', at: runner.metadata.createdAt }],
        next: 'start the agent on its host with the runner.json that `hearth runner join` wrote',
      }
    case 'active':
      return explainActive(seen, evidence)
    case 'degraded':
      return explainDegraded(seen, evidence)
    case 'draining': {
      const claimed = seen.machines.filter(({ claim, going }) => claim !== null && !going).length
      const left = seen.machines.length
      return {
        sentence:
          left === 0
            ? 'it is drained: no environment is left on it'
            : `it is draining: ${left} environments are left on it, of which ${claimed} are claimed and stay until they are released`,
        evidence,
        next: `\`hearth runner uncordon ${name}\` lets it take environments again`,
      }
    }
    case 'offline':
      return {
        sentence: `its agent is silent since ${lastSeenAt === null ? 'ever' : spokenTime(lastSeenAt)}`,
        evidence,
        next: 'unclaimed environments are replaced elsewhere; claimed ones wait for it or are made anew, as their project says. On its return it removes what it does not own any more',
      }
    case 'deleted':
      return { sentence: 'it was removed', evidence, next: null }
    default:
      return assertNever(phase)
  }
}

/** Why it serves no routes, where it should. */
function serving({ status }: Runner): Evidence[] {
  const fault = status.facts?.ingressFault
  return fault === undefined ? [] : [{ what: `it serves no routes: ${fault}`, at: null }]
}

function explainActive({ runner }: RunnerSight, evidence: Evidence[]): Reasons {
  const { name } = runner.metadata
  const suspicion = runner.status.health?.lastFailure ?? null
  const until = runner.status.health?.avoidedUntil ?? null
  if (runner.spec.scheduling === 'cordoned') {
    return {
      sentence: 'it is cordoned: it keeps its environments and takes no new ones',
      evidence,
      next: `\`hearth runner uncordon ${name}\` lets it take environments again`,
    }
  }
  if (suspicion !== null && until !== null) {
    return {
      sentence: `it takes environments, but others are preferred until ${spokenTime(until)}: ${suspicion.message}`,
      evidence: [{ what: `environment ${suspicion.environmentId} failed`, at: suspicion.at }, ...evidence],
      next: null,
    }
  }
  return { sentence: 'it is well and takes environments', evidence, next: null }
}

function explainDegraded({ runner }: RunnerSight, evidence: Evidence[]): Reasons {
  const { health } = runner.status
  const last = health?.lastFailure ?? null
  const cause = last === null ? '' : `, the last with: ${last.message}`
  return {
    sentence: `environments keep failing on it: ${health?.failures ?? 0} of the last ${health?.boots ?? 0} boots, for causes that speak against the host${cause}`,
    evidence: [
      { what: 'out of placement since', at: health?.degradedSince ?? null },
      ...(last === null ? [] : [{ what: `environment ${last.environmentId} failed`, at: last.at }]),
      { what: `${health?.probes ?? 0} probes have failed since`, at: null },
      ...evidence,
    ],
    next:
      health?.probeAt == null
        ? null
        : `from ${spokenTime(health.probeAt)} on one environment is tried on it; if it comes up, the runner is active again`,
  }
}

const namesShown = 10

function holding({ machines }: RunnerSight): Evidence[] {
  return machines.slice(0, namesShown).map(({ name, claim, going }) => {
    const whose = claim === null ? 'unclaimed' : `claim ${claim}`
    return { what: `holds ${name} (${going ? 'being deleted' : whose})`, at: null }
  })
}
