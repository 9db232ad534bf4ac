import type { Failure, QuotaShortage, WarmPoolPhase } from '@hearth/contract'
import { describeUsed } from '../quota/index.ts'

/** A pool without a ready member, as it was when someone asked for one. */
export interface Shortage {
  pool: string
  phase: WarmPoolPhase
  enabled: boolean
  min: number
  failure: Failure | null
  provisioning: number
  failed: number
  /** What keeps the pool from making those it lacks. */
  quota: QuotaShortage | null
  /** What a runner lacks to run a member that is at rest there; null where none is, or is left out. */
  lack?: string | null
  /** The only runner that was looked on; null, or left out, for any. */
  runner?: string | null
}

/** To be read after what was not there. */
export const onRunner = ({ runner }: Pick<Shortage, 'runner'>): string =>
  runner == null ? '' : ` on runner ${runner}`

/** Why a pool had no ready member, in one sentence. */
export function describeShortage(seen: Shortage): string {
  const { pool, failure, min, provisioning, failed } = seen
  const none = `pool ${pool} had no ready environment${onRunner(seen)}`
  if (!seen.enabled) return `${none}: it is disabled`
  if (seen.phase === 'cleared')
    return `${none}: it was cleared, and stays empty until it is enabled again or changed`
  if (seen.lack != null) return `${none}, and no room to run one that is at rest: ${seen.lack}`
  if (min === 0) return `${none}: its min is 0, so it keeps none ready`
  if (seen.phase === 'failed')
    return `${none}: it has stopped making any, ${failure?.message ?? 'after failures'}`
  if (seen.quota !== null) return `${none}: the organization has ${describeUsed(seen.quota)}`
  const broken = failed === 0 ? '' : `, ${failed} failed`
  const cause = failure === null ? '' : ` (${failure.message})`
  if (provisioning > 0)
    return `${none}: all ${min} wanted were claimed or not ready yet, with ${provisioning} on their way${broken}${cause}`
  return `${none}: none was on its way${broken}${cause}`
}
