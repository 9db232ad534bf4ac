import { copySeconds, type Failure, type SnapshotHolder } from '@hearth/contract'
import type { CopySource } from '../table.ts'

/** The layer on which the copy is to stand, on the runner that the copy is for. */
export type SeenBase =
  | { state: 'here' | 'coming' | 'absent' }
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
}

export type CopyAction =
  | { do: 'attempt'; from: SeenOrigin & { address: { host: string; port: number } }; tried: string[] }
  | { do: 'give-up'; failure: Failure }
  | { do: 'forget' } // a later wish for it tries again

/** The next action for a copy; null where it is there, goes on, or waits for the layer below. */
export function decideCopy(copy: SeenCopy, origins: readonly SeenOrigin[], now: Date): CopyAction | null {
  const { source, base, unable } = copy
  const isOver = source.endsAt !== null && Date.parse(source.endsAt) <= now.getTime()
  if (source.isGivenUp) return isOver ? { do: 'forget' } : null
  if (copy.phase === 'present' || copy.phase === 'deleting') return null
  const origin = origins.find(({ runnerId }) => runnerId === source.runnerId)
  const isReadable = origin !== undefined && !origin.silent
  if (source.grantId !== null && copy.phase !== 'failed' && isReadable && !isOver) return null
  if (unable !== null) return { do: 'give-up', failure: unable }
  if (base.state === 'failed') return { do: 'give-up', failure: base.failure }
  if (base.state !== 'here') return null
  const tried = [...source.triedRunnerIds, ...(source.runnerId === null ? [] : [source.runnerId])]
  for (const from of origins) {
    const { address } = from
    if (address === null || from.silent || tried.includes(from.runnerId)) continue
    return { do: 'attempt', from: { ...from, address }, tried }
  }
  return { do: 'give-up', failure: failureOf(copy, origins, isReadable) }
}

/** Why nothing came: of the last attempt, where there was one. */
function failureOf(copy: SeenCopy, origins: readonly SeenOrigin[], isReadable: boolean): Failure {
  const { source, failure, phase, from } = copy
  if (source.grantId !== null && phase === 'failed' && failure !== null) return failure
  if (source.grantId !== null && !isReadable)
    return {
      code: 'runner_lost',
      message: `${from ?? 'the runner'} went silent while it was copied from there`,
    }
  if (source.grantId !== null)
    return { code: 'deadline_passed', message: `${from} sent nothing of it for ${copySeconds / 60} minutes` }
  return unreadable(origins)
}

/** Why a layer can be copied from none of the runners that hold it. */
export function unreadable(origins: readonly SeenOrigin[]): Failure {
  const names = origins.map(({ runner }) => runner).join(', ')
  return origins.some(({ address }) => address !== null)
    ? { code: 'runner_lost', message: `no runner that holds it and lets others copy answers (${names})` }
    : {
        code: 'host_refused',
        message: `other runners cannot copy it from ${names}: HEARTH_LAYERS_ADDRESS is not set there`,
      }
}
