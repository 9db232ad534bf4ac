import type { HostRecord } from './history.ts'

/** The machines of a host, read before its layers. */
export type HostLook = Pick<HostRecord, 'runnerId' | 'machines' | 'layers'>

/**
 * The layers on which something stood in both of two looks that follow each other, and that were there in neither: they
 * were removed from under it. One look alone may show a machine whose layer went with it.
 */
export function goneLayers(before: HostLook, after: HostLook): string[] {
  const still = standing(after)
  return standing(before).flatMap((line) => (still.includes(line) ? [line] : []))
}

/** What stands on layers without a folder, in words. */
function standing({ runnerId, machines, layers }: HostLook): string[] {
  const there = new Set(layers.map(({ layerId }) => layerId))
  return [
    ...machines.map(({ environmentId, machine }) => [`machine ${environmentId}`, machine?.layerId] as const),
    ...layers.map(({ layerId, layer }) => [`layer ${layerId}`, layer?.parentId] as const),
  ].flatMap(([what, base]) =>
    base == null || there.has(base) ? [] : [`on ${runnerId}, ${base} was removed from under ${what}`],
  )
}
