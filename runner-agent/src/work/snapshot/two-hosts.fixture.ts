import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReportedLayer } from '@hearth/contract'
import { newId, systemClock } from '@hearth/foundation'
import { ExclusionScope } from '../../host/exclusion-scope.ts'
import type { LayerManifest } from '../../host/layer.ts'
import { imageFingerprint } from '../../host/synthetic/sizes.ts'
import { SyntheticHost } from '../../host/synthetic/synthetic-host.ts'

export const authority = { epoch: 1, generation: 1, assertHeld: async () => undefined }

/** Two synthetic hosts of two runners, in one folder that is removed with them. */
export async function startTwoHosts() {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-two-hosts-'))
  const hostOf = (runnerId: string) =>
    new SyntheticHost({
      settings: {
        ...{ createMilliseconds: 0, bootMilliseconds: 0, stepMilliseconds: 0 },
        ...{
          freezeMilliseconds: 0,
          resumeMilliseconds: 0,
          readMilliseconds: 0,
          repositories: null,
          runsCommands: false,
          failures: {},
        },
      },
      clock: systemClock,
      random: Math.random,
      machinesFolder: join(folder, runnerId, 'environments'),
      layersFolder: join(folder, runnerId, 'layers'),
      volumesFolder: join(folder, runnerId, 'volumes'),
      exclusion: new ExclusionScope(join(folder, 'locks'), runnerId),
      diskReserveBytes: 0,
      owner: runnerId,
      capacity: { virtualCpus: 1, memoryMebibytes: 1, diskGibibytes: 1 },
      images: ['debian-12'],
    })
  const runners = [newId(), newId()] as const
  return {
    folder,
    runners,
    hosts: [hostOf(runners[0]), hostOf(runners[1])] as const,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Puts a layer with this content on the host, as a copy from elsewhere. */
export async function putLayer(
  { layers }: SyntheticHost,
  content: { disk: Buffer; memory?: Buffer },
  layerId = newId(),
): Promise<LayerManifest> {
  const { disk, memory } = content
  const facts: ReportedLayer = {
    ...{ parentId: null, depth: 1, totalBytes: disk.length, virtualBytes: 1024 ** 3 },
    disk: fileOf(disk),
    memory: memory === undefined ? null : fileOf(memory),
    ...{ memoryFault: null, pausedMilliseconds: null },
  }
  const manifest: LayerManifest = {
    layerId,
    facts,
    origin: {
      identity: { machineId: '0'.repeat(32), hostname: 'shop', randomSeedDigest: '0'.repeat(64) },
      ...{ hostKey: 'ssh-ed25519 AAAA', user: 'root' },
    },
    machine: {
      ...{ image: 'debian-12', imageFingerprint, virtualCpus: 1, memoryMebibytes: 512 },
      ...{ virtualBytes: 1024 ** 3, emulation: memory === undefined ? null : 'synthetic' },
    },
  }
  await layers.beginCopy(manifest, authority)
  await layers.write(layerId, 'disk', 0, disk, authority)
  if (memory !== undefined) await layers.write(layerId, 'memory', 0, memory, authority)
  await layers.completeCopy(layerId, authority)
  return manifest
}

function fileOf(content: Buffer) {
  return { bytes: content.length, digest: createHash('sha256').update(content).digest('hex') }
}
