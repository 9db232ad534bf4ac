import { type Candidate, place, type Wanted } from './place.ts'

/**
 * The runner to which the snapshot that is started from has to be copied: the one that would take the environment from its
 * image, among those that do not have the snapshot and are not to have it. Null when a runner that has it takes the
 * environment, or when none does.
 */
export function copyTarget(
  wanted: Wanted,
  candidates: readonly Candidate[],
  holders: ReadonlySet<string>,
): string | null {
  if (wanted.source?.isRequired !== true || wanted.source.phase !== 'ready') return null
  if (place(wanted, candidates).runnerId !== null) return null
  const others = candidates.filter(({ id, phase }) => !holders.has(id) && phase !== 'degraded')
  return place({ ...wanted, source: null }, others).runnerId
}
