import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId, systemClock } from '@hearth/foundation'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ExclusionScope } from '../exclusion-scope.ts'
import { runCutAfter } from './cutting.fixture.ts'
import { SyntheticHost } from './synthetic-host.ts'

const owner = newId()
const authority = { epoch: 1, generation: 1, assertHeld: async () => undefined }
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-leftovers-'))
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true, force: true })
})

const hostOf = (runnerId: string) =>
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
      failures: {},
    },
    clock: systemClock,
    random: Math.random,
    machinesFolder: folder,
    layersFolder: `${folder}-layers`,
    volumesFolder: `${folder}-volumes`,
    exclusion: new ExclusionScope(`${folder}-locks`, folder),
    diskReserveBytes: 0,
    owner: runnerId,
    capacity: { virtualCpus: 1, memoryMebibytes: 1, diskGibibytes: 1 },
    images: ['debian-12'],
  })
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

const lives = {
  'making and starting': async (host: SyntheticHost, given: ReturnType<typeof specification>) => {
    await host.machines.keepRecord(given.environmentId, 'begun', authority)
    await host.machines.create(given, authority)
    await host.machines.start(given.environmentId, authority)
  },
  removing: async (host: SyntheticHost, given: ReturnType<typeof specification>) => {
    await host.machines.remove(given.environmentId, authority)
  },
}

test.each(['making and starting', 'removing'] as const)(
  '%s may be cut after any change: what is left is known as ours, can be done again, and goes whole',
  async (name) => {
    for (let allowed = 0; ; allowed += 1) {
      const given = specification()
      if (name === 'removing') await lives['making and starting'](hostOf(owner), given)
      const whole = await runCutAfter(allowed, () => lives[name](hostOf(owner), given))
      const left = await readdir(folder)
      const listed = await hostOf(owner).machines.inventory()
      expect(listed.map(({ environmentId, ownership }) => [environmentId, ownership?.owner])).toEqual(
        left.length === 0 ? [] : [[given.environmentId, owner]],
      )
      // Another runner's agent on this host either sees that the machine is not its own, or does not see it at all.
      for (const { ownership } of await hostOf(newId()).machines.inventory())
        expect(ownership?.owner).toBe(owner)
      await lives[name](hostOf(owner), given)
      await hostOf(owner).machines.remove(given.environmentId, authority)
      expect(await readdir(folder)).toEqual([])
      if (whole) break
      expect(allowed).toBeLessThan(20)
    }
  },
)

test('a folder that does not say whose it is is listed as nobody’s, never filled and never removed', async () => {
  const given = specification()
  const path = join(folder, given.environmentId)
  await mkdir(path)
  await writeFile(join(path, 'disk.qcow2'), 'theirs')
  await writeFile(join(path, 'record.json'), '{}')
  const host = hostOf(owner)
  expect(await host.machines.inventory()).toEqual([
    { environmentId: given.environmentId, power: 'absent', ownership: null },
  ])
  expect((await host.machines.look(given.environmentId)).record).toBeNull()
  await expect(host.machines.create(given, authority)).rejects.toThrow()
  await expect(host.machines.keepRecord(given.environmentId, 'ours', authority)).rejects.toThrow()
  await host.machines.remove(given.environmentId, authority)
  expect(await readdir(path)).toEqual(['disk.qcow2', 'record.json'])
})
