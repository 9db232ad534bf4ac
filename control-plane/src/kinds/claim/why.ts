import type { Claim, Evidence, Explanation } from '@hearth/contract'
import { assertNever, spokenTime } from '@hearth/foundation'
import { spokenOver } from '../environment/index.ts'
import { bindingHistory, explainBinding, nextAfterBinding } from './binding/why.ts'

/** A claim, its pool, and the explanation of its environment. */
export interface ClaimSight {
  claim: Claim
  pool: string | null
  machine: Explanation | null
  /** The name of the runner of the environment that the claim lost. */
  lostRunner: string | null
  /** The name of the claim of which it is a fork. */
  forked: string | null
}

type Reasons = Pick<Explanation, 'sentence' | 'evidence' | 'next'>

/** Why a claim is in the phase it is in. Pure. */
export function explain(seen: ClaimSight): Reasons {
  const { claim, machine } = seen
  const { status } = claim
  const evidence = [...history(seen), ...(machine?.evidence ?? [])]
  const next = nextAfterBinding(claim) ?? machine?.next ?? null
  const binding = explainBinding(claim)
  const its =
    machine === null ? 'its environment is not on record any more' : `${machine.name}: ${machine.sentence}`
  switch (status.phase) {
    case 'pending':
      if (binding !== null && machine?.phase === 'running')
        return { sentence: `${beginning(seen)}; ${binding}; it has ${its}`, evidence, next }
      return { sentence: `${beginning(seen)}; it waits for its environment ${its}`, evidence, next }
    case 'bound':
      return {
        sentence: [beginning(seen), ...(binding === null ? [] : [binding]), `it has ${its}`].join('; '),
        evidence,
        next,
      }
    case 'failed': {
      if (binding !== null && status.binding?.phase === 'failed')
        return {
          sentence: `${beginning(seen)}; ${binding}; its environment is left for a look: ${its}`,
          evidence,
          next,
        }
      const cause = status.failure?.message ?? 'no cause was reported'
      return { sentence: `its environment failed before it was given: ${cause}`, evidence, next }
    }
    case 'released': {
      const because = status.ended === null ? 'its environment is gone' : spokenOver(status.ended)
      return { sentence: `it is over, because ${because}; ${its}`, evidence, next: null }
    }
    default:
      return assertNever(status.phase)
  }
}

/** How the claim got its environment. */
function beginning({ claim, lostRunner, forked }: ClaimSight): string {
  const { source, shortage, lost, forkOf } = claim.status
  if (lost !== null) {
    const given = source === 'running' ? 'it was given another that was ready' : 'another is made for it'
    return `its environment was lost with runner ${lostRunner ?? lost.runnerId} at ${spokenTime(lost.at)}, and ${given}`
  }
  if (forkOf !== null) return `it is a fork of ${forked ?? 'a claim that is not on record any more'}`
  switch (source) {
    case 'running':
      return 'it was given an environment that was ready'
    case 'suspended':
      return 'it was given an environment that was suspended, because none that ran was left'
    case 'stopped':
      return 'it was given an environment that was stopped, because none that ran or was suspended was left'
    case 'resumable':
      return `its environment was made from the memory of a prebuild, because ${shortage?.what ?? 'none was kept for it'}`
    case 'cold':
      return `it is a cold start, because ${shortage?.what ?? 'its pool had no ready machine'}`
    default:
      return assertNever(source)
  }
}

function history({ claim, lostRunner }: ClaimSight): Evidence[] {
  const { shortage, lost, boundAt } = claim.status
  const evidence: Evidence[] = [{ what: 'claimed', at: claim.metadata.createdAt }]
  if (shortage !== null) evidence.push(shortage)
  if (lost !== null)
    evidence.push({
      what: `environment ${lost.environmentId} lost with runner ${lostRunner ?? lost.runnerId}`,
      at: lost.at,
    })
  evidence.push(...bindingHistory(claim))
  if (boundAt !== null) evidence.push({ what: 'bound', at: boundAt })
  return evidence
}
