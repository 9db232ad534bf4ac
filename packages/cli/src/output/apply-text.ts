import type { ApplyResult } from '@hearth/contract'

/** The changes of an apply, one line each. */
export function applyText(name: string, result: ApplyResult): string {
  return [
    `project ${name} ${result.project}`,
    ...result.volumes.map(({ name: volume, change }) => `volume ${volume} ${change}`),
    ...result.warmPools.map(
      ({ environmentClass, change }) => `warm pool ${name}/${environmentClass} ${change}`,
    ),
  ].join('\n')
}
