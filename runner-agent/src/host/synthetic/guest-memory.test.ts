import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId, systemClock } from '@hearth/foundation'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { GuestStep, Origin } from '../../guest/guest.ts'
import { syntheticHostAt, syntheticSpecification } from './host.fixture.ts'
import { MachineStore } from './machine-store.ts'
import { SyntheticGuest } from './synthetic-guest.ts'

const authority = { epoch: 1, generation: 1, assertHeld: async () => undefined }
const origin: Origin = { runnerId: 'runner-1', epoch: 1, generation: 1 }
const signal = new AbortController().signal
const token = '/run/hearth/git/shop.token'
const settings = {
  ...{ createMilliseconds: 0, bootMilliseconds: 0, stepMilliseconds: 0, freezeMilliseconds: 0 },
  ...{ resumeMilliseconds: 0, readMilliseconds: 0, repositories: null, runsCommands: false, failures: {} },
}
const clone: GuestStep = {
  ...{ key: 'clone_repo.shop-1', folder: '/home', limitSeconds: 60, onlyWithExecutable: null, syncs: false },
  commands: [
    { name: 'git clone', command: `trap 'rm -f -- ${token}' EXIT\ngit clone`, timeoutSeconds: null },
  ],
}

let folder: string
let store: MachineStore
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-guest-memory-'))
  store = new MachineStore(join(folder, 'environments'), 'runner-1')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function running() {
  const { machines, layers } = syntheticHostAt(folder, 'runner-1')
  const given = syntheticSpecification()
  const { environmentId } = given
  await machines.create(given, authority)
  await machines.start(environmentId, authority)
  const { address, identity } = await machines.look(environmentId)
  if (address === null || identity === null) throw new Error('it has no address')
  const world = { settings, clock: systemClock, random: Math.random }
  const guest = new SyntheticGuest({ environmentId, address, identity }, store, world)
  return { machines, layers, guest, environmentId }
}

const kept = async (environmentId: string) =>
  Object.keys(await store.readGuestFiles(environmentId)).filter((name) => name.startsWith('guest-run-'))
const content = (layerId: string, file: string) => readFile(join(folder, 'layers', layerId, file), 'utf8')

test('what a guest has in memory is in no frozen disk, in the frozen memory, and gone after a boot', async () => {
  const { machines, layers, guest, environmentId } = await running()
  await guest.writePrivateFile(token, 's3cret', origin, signal)
  const [disk, memory] = [newId(), newId()]
  await layers.freeze({ layerId: disk, environmentId, memory: false }, authority)
  await layers.freeze({ layerId: memory, environmentId, memory: true }, authority)
  for (const layerId of [disk, memory]) expect(await content(layerId, 'disk')).not.toContain('s3cret')
  expect(await content(memory, 'memory')).toContain('s3cret')

  const fork = syntheticSpecification({ layerId: memory })
  await machines.create(fork, authority)
  expect(await kept(fork.environmentId)).toEqual([])
  await machines.startFromMemory(fork.environmentId, memory, authority)
  expect(await kept(fork.environmentId)).toEqual(['guest-run-hearth-git-shop.token'])

  await machines.powerOff(environmentId, authority)
  await machines.start(environmentId, authority)
  expect(await kept(environmentId)).toEqual([])
})

test('a step removes the files that were written for it, and they are not written again', async () => {
  const { guest, environmentId } = await running()
  await guest.writeFileForStep(clone.key, token, 's3cret', origin, signal)
  expect(await kept(environmentId)).toHaveLength(1)
  for await (const event of guest.runSteps([clone], origin, signal)) void event
  expect(await kept(environmentId)).toEqual([])
  await guest.writeFileForStep(clone.key, token, 's3cret', origin, signal)
  expect(await kept(environmentId)).toEqual([])
})
