import { spaceLimits } from '@hearth/contract'

/** The releases whose folders are kept from now on, the newest first. */
export const keptReleases = (releases: readonly string[], newest: string): string[] =>
  [newest, ...releases.filter((id) => id !== newest)].slice(0, spaceLimits.keptReleases)
