import { basename, dirname } from 'node:path/posix'
import { type Authority, assertMayFreeze, assertWholeOnDisk } from '../../authority.ts'
import { HostError } from '../../host-error.ts'
import type { FreezeRequest, LayerMachine } from '../../layer.ts'
import { deepestLayer } from '../../layers.ts'
import type { Machine } from '../../machine.ts'
import type { ReadDefinition } from '../definition.ts'
import { createDisk } from '../disk.ts'
import { readDiskChain } from '../disk-chain.ts'
import type { DomainSnapshots, SeenDefinitions } from '../domain-snapshot.ts'
import type { ImageFolder } from '../image-folder.ts'
import type { MachineDisk } from '../machine-disk.ts'
import type { MachineSight } from '../machine-sight.ts'
import type { Given } from '../metadata.ts'
import { completeLayer } from './completion.ts'
import type { Emulation } from './emulation.ts'
import { damaged } from './integrity.ts'
import type { LayerFileContent } from './layer-file.ts'
import type { LayerFolder } from './layer-folder.ts'
import type { LayerPlace } from './layer-place.ts'

export interface FreezingOptions {
  place: LayerPlace
  sight: MachineSight
  images: ImageFolder
  disks: MachineDisk
  snapshots: DomainSnapshots
  emulation: Emulation
  clock: { now(): Date }
}

const bytesPerMebibyte = 1024 ** 2
const noDigest = '0'.repeat(64)

/**
 * Turns the disk of a machine into a layer. The file gets a second name in the layer's folder and the machine another
 * disk over it; as soon as the machine's disk is another file than the layer's, the layer is frozen, and repeating only
 * completes it.
 */
export class Freezing {
  constructor(private readonly options: FreezingOptions) {}

  async freeze(request: FreezeRequest, authority: Authority): Promise<void> {
    const { place, sight, disks } = this.options
    const { layerId, environmentId } = request
    await authority.assertHeld()
    const begun = await place.own(layerId, authority)
    if (begun?.phase === 'present') return
    const machine = await sight.look(environmentId)
    assertMayFreeze(machine, place.owner, authority)
    if (machine.endReason === 'kernel_panicked') {
      throw new HostError(
        'host_refused',
        'the kernel of the machine panicked: start it or power it off first',
      )
    }
    const folder = place.folder(layerId)
    const seen = await disks.definitions(environmentId)
    const isFrozen = begun !== null && (await this.isFrozen(folder, seen.live.diskPath))
    const content = isFrozen
      ? await this.found(folder, begun)
      : await this.freezeNow(request, machine, seen, begun, authority)
    await this.settle(environmentId, layerId, content, authority)
    await completeLayer(place, folder, content, authority)
  }

  private async freezeNow(
    request: FreezeRequest,
    machine: Machine,
    { live }: SeenDefinitions,
    begun: LayerFileContent | null,
    authority: Authority,
  ): Promise<LayerFileContent> {
    assertWholeOnDisk(machine)
    const { place, disks, snapshots } = this.options
    const { layerId, environmentId } = request
    const folder = place.folder(layerId)
    const content = await this.describe(request, machine, live, authority)
    const withMemory = content.facts.memory !== null
    const mebibytes = withMemory ? content.machine.memoryMebibytes : 0
    await place.assertRoom(`freezing the machine ${environmentId}`, mebibytes * bytesPerMebibyte)
    await authority.assertHeld()
    if (begun === null) await folder.open(content)
    else await folder.write(content)
    await this.clear(folder, environmentId)
    await authority.assertHeld()
    await this.link(live.diskPath, folder.disk)
    const base = { path: folder.disk, isInUse: true }
    const bytes = content.facts.virtualBytes
    await authority.assertHeld()
    if (!isOn(machine)) {
      await disks.replace(environmentId, live.diskPath, base, bytes)
      return content
    }
    const nextDisk = disks.newPath(environmentId)
    await createDisk(place.runner, base, nextDisk, bytes)
    await authority.assertHeld()
    const { facts } = content
    const { volumeTargets } = live
    try {
      const memory = withMemory ? folder.memory : null
      const paused = await snapshots.take(environmentId, { nextDisk, memory, volumeTargets }, mebibytes)
      return { ...content, facts: { ...facts, pausedMilliseconds: paused } }
    } catch (thrown) {
      if (!withMemory || !(thrown instanceof HostError)) throw thrown
      const { live: after } = await disks.definitions(environmentId)
      if (after.diskPath !== live.diskPath) throw thrown
      // libvirt keeps no memory of this machine, whose disk is as it was.
      await place.runner.remove(folder.memory)
      const paused = await snapshots.take(environmentId, { nextDisk, memory: null, volumeTargets }, 0)
      const memoryFault = thrown.message.slice(0, 1_000)
      return { ...content, facts: { ...facts, memory: null, memoryFault, pausedMilliseconds: paused } }
    }
  }

  /** A layer whose freezing was cut after the machine had got another disk. */
  private async found(folder: LayerFolder, content: LayerFileContent): Promise<LayerFileContent> {
    const { facts } = content
    const isThere = (await this.options.place.runner.run(['test', '-f', folder.memory])).exitCode === 0
    if (facts.memory === null || isThere) return content
    return {
      ...content,
      facts: { ...facts, memory: null, memoryFault: 'libvirt kept no memory of the machine' },
    }
  }

  /** What is known of the layer before its files are there. */
  private async describe(
    request: FreezeRequest,
    machine: Machine,
    live: ReadDefinition,
    authority: Authority,
  ): Promise<LayerFileContent> {
    const { place, sight, emulation, clock } = this.options
    const { layerId, environmentId } = request
    const given = (await sight.folder(environmentId).readMachine())?.given
    const login = given?.login ?? given?.address
    if (given == null || login == null) {
      throw new HostError('host_refused', `nothing says who the machine ${environmentId} is`)
    }
    const chain = await readDiskChain(place.runner, live.diskPath)
    if (chain.below.length > deepestLayer) {
      throw new HostError(
        'host_refused',
        `the disk of ${environmentId} stands on ${deepestLayer} images and layers, which is the most: the layer below it has to be flattened first`,
      )
    }
    const [below = ''] = chain.below
    const parentId = place.usage.layerAt(below)
    const parent = parentId === null ? null : await place.folder(parentId).read()
    if (parentId !== null && parent === null) throw damaged(parentId, 'nothing says what it is')
    const memoryFault = request.memory ? memoryFaultOf(machine, given, live) : null
    const withMemory = request.memory && memoryFault === null
    const { epoch, generation } = authority
    const ownership = { owner: place.owner, layerId, epoch, generation, createdAt: clock.now().toISOString() }
    const unknown = { bytes: 0, digest: noDigest }
    return {
      ownership,
      phase: 'freezing',
      environmentId,
      facts: {
        parentId,
        depth: chain.below.length,
        disk: unknown,
        totalBytes: parent?.facts.totalBytes ?? 0,
        virtualBytes: chain.virtualBytes,
        memory: withMemory ? unknown : null,
        memoryFault,
        pausedMilliseconds: null,
      },
      origin: { user: login.user, hostKey: login.hostKey, identity: given.identity },
      machine: {
        ...(await this.imageOf(parent?.machine ?? null, chain.below.at(-1) ?? '')),
        virtualCpus: live.virtualCpus,
        memoryMebibytes: live.memoryMebibytes,
        virtualBytes: chain.virtualBytes,
        emulation: withMemory ? await emulation.describe(live.hardware) : null,
      },
      flattened: null,
    }
  }

  private async imageOf(
    parent: LayerMachine | null,
    path: string,
  ): Promise<Pick<LayerMachine, 'image' | 'imageFingerprint'>> {
    if (parent !== null) return { image: parent.image, imageFingerprint: parent.imageFingerprint }
    const image = await this.options.images.find(basename(dirname(path)))
    if (image.diskPath === path) return { image: image.name, imageFingerprint: image.fingerprint }
    throw new HostError('host_refused', `the machine stands on ${path}, which is no image of this host`)
  }

  /** Whether the layer's disk is there and the machine has another one. */
  private async isFrozen(folder: LayerFolder, diskPath: string): Promise<boolean> {
    const { runner } = this.options.place
    const result = await runner.run(['stat', '-c', '%d:%i', '--', folder.disk, diskPath])
    const [layer, disk] = result.stdout.trim().split('\n')
    return result.exitCode === 0 && layer !== disk
  }

  private async link(from: string, to: string): Promise<void> {
    const result = await this.options.place.runner.run(['ln', '-T', '--', from, to])
    if (result.exitCode !== 0) {
      throw new HostError('host_refused', `the disk cannot become a layer: ${result.stderr.trim()}`)
    }
  }

  /** Removes what an earlier attempt left in the layer's folder and the machine's. */
  private async clear(folder: LayerFolder, environmentId: string): Promise<void> {
    const { place, disks } = this.options
    for (const path of [folder.disk, folder.memory]) await place.runner.remove(path)
    await disks.clear(environmentId)
  }

  private async settle(
    environmentId: string,
    layerId: string,
    { facts }: LayerFileContent,
    authority: Authority,
  ): Promise<void> {
    const { disks } = this.options
    const { live } = await disks.definitions(environmentId)
    await authority.assertHeld()
    const source = { layerId, virtualBytes: facts.virtualBytes, state: 'ran' } as const
    await disks.settle(environmentId, live.diskPath, source)
    await disks.clear(environmentId)
  }
}

function isOn({ power }: Machine): boolean {
  return power === 'running' || power === 'paused'
}

function memoryFaultOf(machine: Machine, { network }: Given, live: ReadDefinition): string | null {
  if (!isOn(machine)) return 'the machine was off'
  if (live.hasVolumeController)
    return 'a volume is attached to the machine, or was since it was started: another machine would not have it'
  if (network?.kind !== 'network' && network?.kind !== 'bridge') return null
  return (
    `the machine is on the ${network.kind} "${network.name}", where another machine with the same memory would have ` +
    'the same network card'
  )
}
