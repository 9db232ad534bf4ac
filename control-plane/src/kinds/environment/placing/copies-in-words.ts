import type { Failure } from '@hearth/contract'

/** A runner to which a snapshot is copied, or could not be. */
export interface CopyOnItsWay {
  runner: string
  isGivenUp: boolean
  failure: Failure | null
}

const shownFailures = 3

/** What becomes of copies of a snapshot, for a machine that no runner takes which has it; null where nothing is to be said. */
export function copiesInWords(
  name: string,
  holders: readonly { runner: string; isRead: boolean }[],
  copies: readonly CopyOnItsWay[],
): string | null {
  const coming = copies.filter(({ isGivenUp }) => !isGivenUp).map(({ runner }) => runner)
  if (coming.length > 0) return `snapshot ${name} is being copied to ${coming.join(', ')}`
  if (holders.length > 0 && holders.every(({ isRead }) => !isRead)) {
    const names = holders.map(({ runner }) => runner).join(', ')
    return `snapshot ${name} cannot be copied from ${names}: HEARTH_LAYERS_ADDRESS is not set there`
  }
  const failed = copies.flatMap(({ runner, failure }) =>
    failure === null ? [] : [`to ${runner}: ${failure.message}`],
  )
  if (failed.length === 0) return null
  return `snapshot ${name} could not be copied ${failed.slice(0, shownFailures).join('; ')}`
}
