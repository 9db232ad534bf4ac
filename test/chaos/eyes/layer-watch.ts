import { setTimeout as delay } from 'node:timers/promises'
import { goneLayers, type HostLook } from '../check/gone-layers.ts'
import type { Host } from '../world/world.ts'
import { readLayers, readMachines } from './hosts.ts'

const intervalMilliseconds = 400

/** Looks again and again whether a layer is gone from under what stands on it; adds those that are to `gone`. */
export async function watchLayers(
  hosts: readonly Host[],
  gone: Set<string>,
  signal: AbortSignal,
): Promise<void> {
  const last = new Map<string, HostLook>()
  while (!signal.aborted) {
    for (const { runnerId, stateFolder } of hosts) {
      // In this order: a machine may be made over a layer meanwhile, which then is there.
      const machines = await readMachines(stateFolder)
      const look = { runnerId, machines, layers: await readLayers(stateFolder) }
      const before = last.get(runnerId)
      if (before !== undefined) for (const words of goneLayers(before, look)) gone.add(words)
      last.set(runnerId, look)
    }
    await delay(intervalMilliseconds, undefined, { signal }).catch(() => undefined)
  }
}
