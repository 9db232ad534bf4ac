import { join } from 'node:path'
import { newId, systemClock } from '@hearth/foundation'
import { ExclusionScope } from '../exclusion-scope.ts'
import type { MachineSpecification } from '../machine.ts'
import { SyntheticHost, type SyntheticHostOptions } from './synthetic-host.ts'

/** A synthetic host without delays, in one folder. */
export function syntheticHostAt(
  folder: string,
  owner: string,
  settings: Partial<Pick<SyntheticHostOptions, 'diskReserveBytes' | 'exclusion'>> = {},
): SyntheticHost {
  return new SyntheticHost({
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
    machinesFolder: join(folder, 'environments'),
    layersFolder: join(folder, 'layers'),
    volumesFolder: join(folder, 'volumes'),
    exclusion: new ExclusionScope(join(folder, 'locks'), folder),
    diskReserveBytes: 0,
    owner,
    capacity: { virtualCpus: 1, memoryMebibytes: 1, diskGibibytes: 1 },
    images: ['debian-12'],
    ...settings,
  })
}

export function syntheticSpecification(source: MachineSpecification['source'] = null): MachineSpecification {
  return {
    environmentId: newId(),
    hostname: 'shop',
    image: 'debian-12',
    virtualCpus: 1,
    memoryMebibytes: 512,
    diskGibibytes: 3,
    limits: {},
    userCertificateAuthority: 'ssh-ed25519 AAAA',
    principal: 'environment:x',
    source,
  }
}
