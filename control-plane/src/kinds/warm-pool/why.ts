import {
  bootAttempts,
  type EnvironmentPhase,
  type Evidence,
  type Explanation,
  type WarmPool,
} from '@hearth/contract'
import { assertNever, spokenTime } from '@hearth/foundation'
import { describeUsed } from '../quota/index.ts'

/** Members alike in what they are about: unclaimed, not deleted, in one phase for one reason. */
export interface MemberGroup {
  phase: EnvironmentPhase
  count: number
  /** For those that wait for a runner: why. */
  placement: string | null
  going: boolean
}

export interface PoolSight {
  pool: WarmPool
  members: readonly MemberGroup[]
  /** The prebuild that its machines start from, and why none or no newer one. */
  start: { prebuild: string | null; reason: string | null }
}

type Reasons = Pick<Explanation, 'sentence' | 'evidence' | 'next'>

/** Why a pool is in the phase it is in. Pure. */
export function explain({ pool, members, start }: PoolSight): Reasons {
  const { status } = pool
  const unchecked = status.uncheckedBranch === null ? [] : [{ what: status.uncheckedBranch, at: null }]
  const evidence = [
    ...members.map(memberEvidence),
    ...failureEvidence(pool),
    ...unchecked,
    ...(status.lack === null
      ? []
      : [{ what: `members at rest wait for room to run: ${status.lack}`, at: null }]),
    ...startEvidence(start),
    ...scalingEvidence(pool),
  ]
  const counts = countsOf(pool)
  switch (status.phase) {
    case 'ready':
      return { sentence: `it is full: ${counts}`, evidence, next: null }
    case 'disabled':
      return {
        sentence: 'it is disabled, so it keeps no environment',
        evidence,
        next: 'it fills when it is enabled',
      }
    case 'cleared':
      return {
        sentence: 'it was cleared, and stays empty',
        evidence,
        next: 'it fills when it is enabled again or changed, with `hearth up` too',
      }
    case 'failed':
      return {
        sentence: `it has stopped with ${counts}: ${status.failure?.message ?? 'too many machines failed'}`,
        evidence,
        next: 'a change of the project or the pool, or `hearth up`, lets it go on; `hearth retry` of its failed environment and `hearth pool clear --replenish` too',
      }
    case 'filling':
      return { sentence: `${counts}: ${obstacle(pool, members)}`, evidence, next: nextTry(pool) }
    case 'deleting':
      return {
        sentence: 'it is being deleted, and its unclaimed environments are let go',
        evidence,
        next: 'claimed environments stay with their claims',
      }
    default:
      return assertNever(status.phase)
  }
}

function countsOf({ status }: WarmPool): string {
  const { ready, suspended, stopped, resumable, desiredSize } = status
  const resting = [
    [suspended, 'suspended'],
    [stopped, 'stopped'],
    [resumable, 'could start from a memory'],
  ].flatMap(([count, how]) => (count === 0 ? [] : `, ${count} ${how}`))
  return `${ready} of ${desiredSize} are ready${resting.join('')}`
}

function scalingEvidence({ spec, status }: WarmPool): Evidence[] {
  const { scaling, desiredSize } = status
  if (scaling === null) return []
  const bounds = spec.max === null ? '' : ` (${spec.min} to ${spec.max})`
  const { claimsPerMinute, burst, refillSeconds, reason, at } = scaling
  return [
    {
      what: `it wants ${desiredSize}${bounds}, because ${reason}: ${claimsPerMinute} claims a minute, at most ${burst} within one refill of ${refillSeconds} s`,
      at,
    },
  ]
}

/** What keeps it from being full, the worst first. */
function obstacle({ status }: WarmPool, members: readonly MemberGroup[]): string {
  const waiting = members.find(({ phase, placement }) => phase === 'pending' && placement !== null)
  if (status.quota !== null) return `the organization has ${describeUsed(status.quota)}`
  if (waiting !== undefined) return `${waiting.count} wait for a runner: ${waiting.placement}`
  if (status.retryAt !== null && status.failure !== null)
    return `the last environment failed (${status.failure.message})`
  const { desiredSize, ready, suspended, stopped, resumable, provisioning } = status
  const later = desiredSize - ready - suspended - stopped - resumable - provisioning
  const more = later > 0 ? `, and ${later} more as boot slots of the runners come free` : ''
  return `${provisioning} are being made${more}`
}

function nextTry({ status }: WarmPool): string | null {
  if (status.quota !== null)
    return `it makes more by itself as soon as an environment goes or the quota ${status.quota.quota} is raised; \`hearth quota\` shows what is used`
  if (status.retryAt === null) return null
  const left = bootAttempts - status.consecutiveFailures
  return `it tries again at ${spokenTime(status.retryAt)}; after ${left} more failures in a row it stops`
}

function memberEvidence({ phase, count, placement, going }: MemberGroup): Evidence {
  const why = placement === null ? '' : `: ${placement}`
  return { what: `${count} ${going ? 'being let go, ' : ''}${phase}${why}`, at: null }
}

function startEvidence({ prebuild, reason }: PoolSight['start']): Evidence[] {
  const because = reason === null ? '' : `: ${reason}`
  if (prebuild !== null)
    return [{ what: `its environments start from prebuild ${prebuild}${because}`, at: null }]
  return reason === null ? [] : [{ what: `its environments start from their image${because}`, at: null }]
}

function failureEvidence({ status }: WarmPool): Evidence[] {
  if (status.failure === null) return []
  const step = status.failure.step === undefined ? '' : ` in ${status.failure.step}`
  const lines = (status.failure.lastLines ?? []).slice(-5).map((line) => ({ what: `| ${line}`, at: null }))
  return [
    {
      what: `${status.consecutiveFailures} failed in a row, the last${step}: ${status.failure.message}`,
      at: null,
    },
    ...lines,
  ]
}
