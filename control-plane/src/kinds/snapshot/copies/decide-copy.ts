import { copySeconds, type Failure, type SnapshotHolder } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { CopySource, Flattening } from '../table.ts'

/** The layer on which the copy is to stand, on the runner that the copy is for. */
export type SeenBase =
  | { state: 'here' | 'coming' | 'absent' }
  /** It is on its way out everywhere: only a layer that does not need it can be copied. */
  | { state: 'going'; because: string }
  /** It cannot come there. */
  | { state: 'failed'; failure: Failure }

/** A runner that is to have a copy of the layer. */
export interface SeenCopy {
  runnerId: string
  runner: string
  phase: SnapshotHolder['phase']
  failure: Failure | null
  source: CopySource
  /** The name of the runner in the source. */
  from: string | null
  base: SeenBase
  /** Why its agent cannot copy; null where it can. */
  unable: Failure | null
}

/** A runner that has the layer. */
export interface SeenOrigin {
  runnerId: string
  runner: string
  silent: boolean
  address: { host: string; port: number } | null
  /** Its layer stands on the image alone. */
  isFlat: boolean
  /** Others copy from it now. */
  isRead: boolean
  /** That it was asked to flatten its layer; null where it was not. */
  flattening: Flattening | null
}

export type CopyAction =
  | { do: 'attempt'; from: SeenOrigin & { address: { host: string; port: number } }; tried: string[] }
  | { do: 'flatten'; at: SeenOrigin; tried: string[] } // have its layer stand on the image alone, then copy it
  | { do: 'give-up'; failure: Failure }
  | { do: 'forget' } // a later wish for it tries again

/** The next action for a copy; null where it is there, goes on, or waits for another layer. */
export function decideCopy(copy: SeenCopy, origins: readonly SeenOrigin[], now: Date): CopyAction | null {
  const { source, base, unable } = copy
  if (source.isGivenUp) return isPast(source.endsAt, now) ? { do: 'forget' } : null
  if (copy.phase === 'present' || copy.phase === 'deleting') return null
  const origin = origins.find(({ runnerId }) => runnerId === source.runnerId)
  if (isUnderWay(copy, origin, now)) return null
  if (unable !== null) return { do: 'give-up', failure: unable }
  if (base.state === 'failed') return { do: 'give-up', failure: base.failure }
  const tried = triedAfter(source, origin)
  const left = origins.filter(
    ({ runnerId, address, silent }) => address !== null && !silent && !tried.includes(runnerId),
  )
  for (const from of left) {
    const { address } = from
    const isFit = from.isFlat || (base.state === 'here' && !isFlattening(from, now))
    if (address !== null && isFit) return { do: 'attempt', from: { ...from, address }, tried }
  }
  switch (base.state) {
    case 'coming':
    case 'absent':
      return null
    case 'here':
      // One that is being flattened has another disk soon.
      return left.length > 0 ? null : { do: 'give-up', failure: failureOf(copy, origin, origins) }
    case 'going': {
      // One that is read keeps its disk until that has ended.
      const at = left.find((one) => isFlattening(one, now)) ?? left.find(({ isRead }) => !isRead)
      if (at !== undefined) return { do: 'flatten', at, tried }
      return left.length > 0 ? null : { do: 'give-up', failure: failureOf(copy, origin, origins) }
    }
    default:
      return assertNever(base)
  }
}

/** When a copy or a flattening that moves now is waited for no longer. */
export const copyEndsAt = (now: Date) => new Date(now.getTime() + copySeconds * 1000).toISOString()

const isPast = (time: string | null, now: Date) => time !== null && Date.parse(time) <= now.getTime()

/** Whether it is at it. */
export const isFlattening = ({ isFlat, flattening }: SeenOrigin, now: Date) =>
  !isFlat && flattening !== null && flattening.failure === null && !isPast(flattening.endsAt, now)

/** Whether it is being copied, or its runner makes the layer fit to be copied. */
function isUnderWay({ source, phase }: SeenCopy, origin: SeenOrigin | undefined, now: Date): boolean {
  if (origin === undefined || origin.silent) return false
  if (source.grantId === null) return isFlattening(origin, now)
  return phase !== 'failed' && !isPast(source.endsAt, now)
}

/** The runners from which it could not be copied; one that has flattened its layer was not tried yet. */
function triedAfter({ runnerId, grantId, triedRunnerIds }: CopySource, origin: SeenOrigin | undefined) {
  if (runnerId === null || (grantId === null && origin?.isFlat === true)) return triedRunnerIds
  return [...triedRunnerIds, runnerId]
}

/** Why nothing came: of the last attempt, where there was one. */
function failureOf(copy: SeenCopy, origin: SeenOrigin | undefined, origins: readonly SeenOrigin[]): Failure {
  const { source, failure, phase } = copy
  if (source.runnerId === null) return unreadable(origins)
  const from = copy.from ?? 'the runner'
  if (source.grantId !== null && phase === 'failed' && failure !== null) return failure
  if (origin === undefined || origin.silent)
    return { code: 'runner_lost', message: `${from} went silent while it was copied from there` }
  if (source.grantId === null) return unflattened(copy.base, from, origin)
  return { code: 'deadline_passed', message: `${from} sent nothing of it for ${copySeconds / 60} minutes` }
}

function unflattened(base: SeenBase, from: string, { flattening }: SeenOrigin): Failure {
  const because = base.state === 'going' ? `${base.because}, and ` : ''
  const { code, message } = flattening?.failure ?? {
    code: 'deadline_passed',
    message: `nothing came of it for ${copySeconds / 60} minutes`,
  }
  return { code, message: `${because}${from} could not make it stand on the image alone: ${message}` }
}

/** Why a layer can be copied from none of the runners that hold it. */
export function unreadable(origins: readonly Pick<SeenOrigin, 'runner' | 'address'>[]): Failure {
  const names = origins.map(({ runner }) => runner).join(', ')
  return origins.some(({ address }) => address !== null)
    ? { code: 'runner_lost', message: `no runner that holds it and lets others copy answers (${names})` }
    : {
        code: 'host_refused',
        message: `other runners cannot copy it from ${names}: HEARTH_LAYERS_ADDRESS is not set there`,
      }
}
