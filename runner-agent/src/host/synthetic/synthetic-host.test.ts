import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId, systemClock } from '@hearth/foundation'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hostContract } from '../contract.ts'
import { ExclusionScope } from '../exclusion-scope.ts'
import { SyntheticHost } from './synthetic-host.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-synthetic-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const hostOf = (owner: string, failures = {}) =>
  new SyntheticHost({
    settings: {
      createMilliseconds: 0,
      bootMilliseconds: 0,
      stepMilliseconds: 0,
      freezeMilliseconds: 0,
      resumeMilliseconds: 0,
      readMilliseconds: 0,
      repositories: null,
      runsCommands: false,
      failures,
    },
    clock: systemClock,
    random: Math.random,
    machinesFolder: folder,
    layersFolder: `${folder}-layers`,
    volumesFolder: `${folder}-volumes`,
    exclusion: new ExclusionScope(`${folder}-locks`, folder),
    diskReserveBytes: 0,
    owner,
    capacity: { virtualCpus: 1, memoryMebibytes: 1, diskGibibytes: 1 },
    images: ['debian-12'],
  })

const authority = { epoch: 1, generation: 2, assertHeld: async () => undefined }
const specification = () => ({
  environmentId: newId(),
  hostname: 'shop',
  image: 'debian-12',
  virtualCpus: 1,
  memoryMebibytes: 512,
  diskGibibytes: 1,
  limits: {},
  userCertificateAuthority: 'ssh-ed25519 AAAA',
  principal: 'environment:x',
  source: null,
})

describe('the contract of hosts', () => {
  for (const [promise, holds] of hostContract) {
    test(promise, () => {
      const host = hostOf('runner-1')
      return holds({
        host,
        owner: 'runner-1',
        foreignHost: hostOf('runner-2'),
        specification,
        pause: (environmentId) => host.machines.pause(environmentId, 'suspended'),
        connect: async (environmentId) => {
          await host.machines.connect(environmentId, true)
          return () => host.machines.connect(environmentId, false)
        },
      })
    })
  }
})

test('a machine made by one process is found by the next', async () => {
  const given = specification()
  await hostOf('runner-1').machines.create(given, authority)
  await hostOf('runner-1').machines.start(given.environmentId, authority)
  expect((await hostOf('runner-1').machines.look(given.environmentId)).power).toBe('running')
})

test('failures happen as often as the settings say', async () => {
  await expect(
    hostOf('runner-1', { create_vm: 1 }).machines.create(specification(), authority),
  ).rejects.toThrow('refused')
})

test('a crash is told to whoever watches', async () => {
  const host = hostOf('runner-1')
  const given = specification()
  await host.machines.create(given, authority)
  await host.machines.start(given.environmentId, authority)
  const stop = new AbortController()
  const crashed = new Promise((resolve) => void host.machines.watch(resolve, stop.signal))
  await host.machines.crash(given.environmentId)
  expect(await crashed).toBe(given.environmentId)
  expect((await host.machines.look(given.environmentId)).power).toBe('crashed')
  stop.abort()
})
