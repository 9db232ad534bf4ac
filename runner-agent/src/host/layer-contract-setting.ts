import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert'
import type { FailureCode } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import type { Authority } from './authority.ts'
import type { Host } from './host.ts'
import { HostError } from './host-error.ts'
import type { LayerFileName, LayerManifest } from './layer.ts'
import type { MachineSpecification } from './machine.ts'

export interface LayerContractSetting {
  host: Host
  /** Id of the runner for which `host` is driven. */
  owner: string
  /** The same host, driven for another runner. */
  foreignHost: Host
  /** Another host of the same runner, which has the same images. */
  otherHost: Host
  /** Specification of a machine that the host can create; each promise uses its own machine. */
  specification(): MachineSpecification
  /** Changes bytes of a layer's file on `host`, as a failing disk or a person might. */
  damage(layerId: string, file: LayerFileName): Promise<void>
}

export type LayerPromise = readonly [promise: string, holds: (setting: LayerContractSetting) => Promise<void>]

export function authorityOf(epoch: number, generation: number): Authority {
  return { epoch, generation, assertHeld: () => Promise.resolve() }
}

export const authority = authorityOf(1, 2)
/** An epoch newer than any that a promise uses. */
export const newest = authorityOf(99, 99)
export const neverAborted: AbortSignal = new AbortController().signal

interface OnMachine {
  setting: LayerContractSetting
  given: MachineSpecification
  /** Freezes the machine; resolves with the layer's id. */
  freeze(memory: boolean, layerId?: string, by?: Authority): Promise<string>
  /** Creates another machine, which is removed at the end. */
  forked(specification: MachineSpecification): Promise<void>
}

export function onMachine(
  holds: (given: OnMachine) => Promise<void>,
): (setting: LayerContractSetting) => Promise<void> {
  return async (setting) => {
    const { host } = setting
    const given = setting.specification()
    const { environmentId } = given
    const layers: string[] = []
    const machines = [environmentId]
    try {
      await host.machines.create(given, authority)
      await holds({
        setting,
        given,
        freeze: async (memory, layerId = newId(), by = authority) => {
          layers.unshift(layerId)
          await host.layers.freeze({ layerId, environmentId, memory }, by)
          return layerId
        },
        forked: async (specification) => {
          machines.push(specification.environmentId)
          await host.machines.create(specification, authority)
        },
      })
    } finally {
      for (const id of machines) await host.machines.remove(id, newest)
      for (const id of layers) await host.layers.remove(id, newest)
    }
    const left = (await host.layers.inventory()).filter(({ layerId }) => layers.includes(layerId))
    deepStrictEqual(left, [])
  }
}

export function manifestOf({ layerId, facts, origin, machine }: Awaited<ReturnType<Host['layers']['look']>>) {
  ok(facts !== null && origin !== null && machine !== null)
  return { layerId, facts, origin, machine } satisfies LayerManifest
}

export async function usersOf(host: Host, layerId: string): Promise<string[] | undefined> {
  const entry = (await host.layers.inventory()).find((listed) => listed.layerId === layerId)
  return entry?.usedBy.toSorted()
}

export async function refused(code: FailureCode, work: () => Promise<unknown>): Promise<void> {
  await rejects(work, (thrown) => {
    ok(thrown instanceof HostError, String(thrown))
    strictEqual(thrown.code, code, thrown.message)
    return true
  })
}

export async function copyRest(from: Host, to: Host, layerId: string, file: LayerFileName): Promise<void> {
  const partBytes = 1024 ** 2
  for (;;) {
    const offset = await to.layers.receivedBytes(layerId, file)
    const part = await from.layers.read(layerId, file, offset, partBytes)
    if (part.length === 0) return
    await to.layers.write(layerId, file, offset, part, authority)
  }
}
