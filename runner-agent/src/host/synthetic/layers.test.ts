import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId } from '@hearth/foundation'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { layerContract } from '../layer-contract.ts'
import { syntheticHostAt, syntheticSpecification } from './host.fixture.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-layers-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const hostOf = (owner: string, name: string, diskReserveBytes = 0) =>
  syntheticHostAt(join(folder, name), owner, { diskReserveBytes })

describe('what hosts promise of layers', () => {
  for (const [promise, holds] of layerContract) {
    test(promise, () =>
      holds({
        host: hostOf('runner-1', 'one'),
        owner: 'runner-1',
        foreignHost: hostOf('runner-2', 'one'),
        otherHost: hostOf('runner-1', 'two'),
        specification: syntheticSpecification,
        damage: async (layerId, file) => {
          const path = join(folder, 'one', 'layers', layerId, file)
          const bytes = await readFile(path)
          await writeFile(path, Buffer.concat([bytes, Buffer.of(1)]))
        },
      }),
    )
  }
})

test('a layer holds what its machine wrote since the layer below it', async () => {
  const host = hostOf('runner-1', 'one')
  const authority = { epoch: 1, generation: 1, assertHeld: async () => undefined }
  const given = syntheticSpecification()
  await host.machines.create(given, authority)
  const bytes: number[] = []
  for (const boots of [0, 1, 2]) {
    for (let boot = 0; boot < boots; boot += 1) {
      await host.machines.start(given.environmentId, authority)
      await host.machines.powerOff(given.environmentId, authority)
    }
    const layerId = newId()
    await host.layers.freeze({ layerId, environmentId: given.environmentId, memory: false }, authority)
    bytes.push((await host.layers.look(layerId)).facts?.disk.bytes ?? -1)
  }
  expect(bytes).toEqual([4_096, 69_632, 135_168])
})

test('nothing is frozen or copied into the reserve of the host’s disk, and nothing is left of the attempt', async () => {
  const authority = { epoch: 1, generation: 1, assertHeld: async () => undefined }
  const host = hostOf('runner-1', 'one', 1024 ** 3)
  const given = syntheticSpecification()
  await host.machines.create(given, authority)
  await host.machines.start(given.environmentId, authority)
  const layerId = newId()
  const request = { layerId, environmentId: given.environmentId, memory: true }
  await expect(host.layers.freeze(request, authority)).rejects.toMatchObject({ code: 'disk_full' })
  expect(await host.layers.inventory()).toEqual([])
  expect((await host.machines.look(given.environmentId)).power).toBe('running')
})
