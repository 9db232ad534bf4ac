import { setTimeout as delay } from 'node:timers/promises'
import type { ReportedLayer } from '@hearth/contract'
import { type Authority, assertMayFreeze, assertMayTouchLayer, assertWholeOnDisk } from '../authority.ts'
import { assertRoom } from '../disk-reserve.ts'
import type { ExclusionScope } from '../exclusion-scope.ts'
import { HostError } from '../host-error.ts'
import type { FreezeRequest, Layer, LayerEntry, LayerFileName, LayerManifest, LayerPart } from '../layer.ts'
import { deepestLayer, type Layers } from '../layers.ts'
import type { VolumeFolders } from '../volumes/volume-folders.ts'
import { isInMemory, packGuestFiles } from './guest-files.ts'
import type { LayerStore, StoredLayer } from './layer-store.ts'
import type { MachineStore, StoredMachine } from './machine-store.ts'
import type { SyntheticWorld } from './settings.ts'
import { emptyDiskBytes, imageFingerprint, memoryBytes } from './sizes.ts'

export interface SyntheticLayersOptions extends SyntheticWorld {
  owner: string
  images: string[]
  exclusion: ExclusionScope
  /** Free bytes that freezing and copying leave. */
  diskReserveBytes: number
}

/** Layers with small files of random content in place of disks and memory. */
export class SyntheticLayers implements Layers {
  constructor(
    private readonly options: SyntheticLayersOptions,
    private readonly layers: LayerStore,
    private readonly machines: MachineStore,
    private readonly freeBytes: () => Promise<number>,
    private readonly volumes: Pick<VolumeFolders, 'keptFor'>,
  ) {}

  async inventory(): Promise<LayerEntry[]> {
    const { folders, leftovers } = await this.layers.list()
    const used = await this.usage()
    const entries: LayerEntry[] = []
    for (const layerId of folders) {
      const stored = await this.layers.read(layerId)
      entries.push({
        layerId,
        ownership: stored?.ownership ?? null,
        bytes: (await this.layers.size(layerId, 'disk')) + (await this.layers.size(layerId, 'memory')),
        parentId: stored?.facts?.parentId ?? null,
        usedBy: used.get(layerId) ?? [],
      })
    }
    const left = leftovers.filter((id) => !folders.includes(id))
    return [...entries, ...left.map((id) => this.leftover(id, used.get(id) ?? []))]
  }

  async look(layerId: string): Promise<Layer> {
    const stored = await this.layers.read(layerId)
    const present = stored?.phase === 'present' ? stored : null
    return {
      layerId,
      ownership: stored?.ownership ?? null,
      phase: present !== null ? 'present' : stored === null ? 'absent' : 'partial',
      facts: present?.facts ?? null,
      origin: present?.origin ?? null,
      machine: present?.machine ?? null,
    }
  }

  freeze(request: FreezeRequest, authority: Authority): Promise<void> {
    const { layerId, environmentId } = request
    const { exclusion } = this.options
    return exclusion.machine(environmentId, () =>
      exclusion.layer(layerId, () => this.freezeAlone(request, authority)),
    )
  }

  remove(layerId: string, authority: Authority): Promise<string[]> {
    return this.options.exclusion.layer(layerId, async () => {
      const stored = await this.own(layerId, authority)
      await authority.assertHeld()
      if (stored === null) {
        await this.layers.clear(layerId)
        return []
      }
      const usedBy = (await this.usage()).get(layerId) ?? []
      if (usedBy.length === 0) {
        await this.layers.remove(layerId)
        return []
      }
      if (stored.facts !== null && stored.facts.memory !== null) {
        const facts = { ...stored.facts, memory: null, memoryFault: 'the memory was removed' }
        await this.layers.write(layerId, { ...stored, facts })
      }
      await this.layers.removeFile(layerId, 'memory')
      return usedBy
    })
  }

  flatten(
    layerId: string,
    progress: (doneBytes: number, totalBytes: number) => void,
    signal: AbortSignal,
    authority: Authority,
  ): Promise<void> {
    const { exclusion, diskReserveBytes } = this.options
    return exclusion.flattening(layerId, async () => {
      const { facts } = await this.present(layerId, authority)
      if (facts.parentId === null) return
      assertRoom(
        `flattening the layer ${layerId}`,
        facts.totalBytes,
        await this.freeBytes(),
        diskReserveBytes,
      )
      const chain = await this.chain(layerId)
      let done = 0
      const contents: Buffer[] = []
      for (const id of chain) {
        signal.throwIfAborted()
        contents.unshift(await this.layers.content(id, 'disk'))
        done += contents[0]?.length ?? 0
        progress(done, facts.totalBytes)
      }
      await exclusion.layer(layerId, async () => {
        const stored = await this.present(layerId, authority)
        const disk = await this.layers.writeNext(layerId, Buffer.concat(contents))
        const flat = { ...stored.facts, parentId: null, depth: 1, disk, totalBytes: disk.bytes }
        await authority.assertHeld()
        await this.layers.write(layerId, { ...stored, next: flat })
        await this.layers.takeNext(layerId)
        await this.layers.write(layerId, { ...stored, facts: flat, next: null })
      })
    })
  }

  async verify(layerId: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await this.layers.verify(layerId)
  }

  async read(layerId: string, file: LayerFileName, offset: number, length: number): Promise<Buffer> {
    await delay(this.options.settings.readMilliseconds)
    const content = await this.layers.content(layerId, file)
    return content.subarray(offset, offset + length)
  }

  async content(layerId: string): Promise<LayerPart[]> {
    return [{ offset: 0, length: await this.layers.size(layerId, 'disk'), isContinued: false }]
  }

  beginCopy(manifest: LayerManifest, authority: Authority): Promise<void> {
    const { exclusion, images, diskReserveBytes } = this.options
    const { layerId, facts, origin, machine } = manifest
    return exclusion.layer(layerId, async () => {
      const stored = await this.own(layerId, authority)
      if (stored?.phase === 'present') return
      if (!images.includes(machine.image) || machine.imageFingerprint !== imageFingerprint) {
        throw new HostError('host_refused', `the layer ${layerId} needs the image "${machine.image}"`)
      }
      if (facts.parentId !== null && (await this.layers.read(facts.parentId))?.phase !== 'present') {
        throw new HostError(
          'host_refused',
          `the layer ${layerId} stands on ${facts.parentId}, which is not here`,
        )
      }
      const bytes = facts.disk.bytes + (facts.memory?.bytes ?? 0)
      assertRoom(`a copy of the layer ${layerId}`, bytes, await this.freeBytes(), diskReserveBytes)
      await authority.assertHeld()
      const isSame = stored?.phase === 'copying' && JSON.stringify(stored.facts) === JSON.stringify(facts)
      if (isSame) return
      const copying = { ...this.begun(layerId, authority), phase: 'copying', facts, origin, machine } as const
      if (stored === null) await this.layers.open(layerId, copying)
      else {
        for (const file of ['disk', 'memory'] as const) await this.layers.removeFile(layerId, file)
        await this.layers.write(layerId, copying)
      }
    })
  }

  receivedBytes(layerId: string, file: LayerFileName): Promise<number> {
    return this.layers.size(layerId, file)
  }

  async write(
    layerId: string,
    file: LayerFileName,
    offset: number,
    content: Buffer,
    authority: Authority,
  ): Promise<void> {
    await this.copying(layerId, authority)
    await authority.assertHeld()
    await this.layers.append(layerId, file, offset, content)
  }

  completeCopy(layerId: string, authority: Authority): Promise<void> {
    return this.options.exclusion.layer(layerId, async () => {
      if ((await this.own(layerId, authority))?.phase === 'present') return
      const stored = await this.copying(layerId, authority)
      await authority.assertHeld()
      try {
        await this.layers.verify(layerId)
      } catch (thrown) {
        await this.layers.remove(layerId)
        throw thrown
      }
      await this.layers.write(layerId, { ...stored, phase: 'present' })
    })
  }

  private async freezeAlone(request: FreezeRequest, authority: Authority): Promise<void> {
    const { layerId, environmentId } = request
    const { owner, settings, diskReserveBytes } = this.options
    await authority.assertHeld()
    const stored = await this.own(layerId, authority)
    if (stored?.phase === 'present') return
    const machine = await this.machines.read(environmentId)
    const power = machine?.power ?? 'absent'
    assertMayFreeze({ environmentId, power, ownership: machine?.ownership ?? null }, owner, authority)
    if (machine === null) return
    let begun = stored
    // From here on the machine may already stand on the layer.
    if (machine.disk.layerId !== layerId || begun?.facts == null) {
      assertWholeOnDisk(machine)
      const frozen = await this.describe(request, machine)
      const needed = frozen.facts.memory?.bytes ?? 0
      assertRoom(`freezing into the layer ${layerId}`, needed, await this.freeBytes(), diskReserveBytes)
      await authority.assertHeld()
      if (begun === null) await this.layers.open(layerId, this.begun(layerId, authority))
      await delay(settings.freezeMilliseconds)
      await authority.assertHeld()
      begun = await this.fill(request, { ...this.begun(layerId, authority), ...frozen })
      await authority.assertHeld()
      const disk = { layerId, writtenBytes: emptyDiskBytes, state: 'ran' } as const
      await this.machines.write(environmentId, { ...machine, disk })
    }
    await this.layers.write(layerId, { ...begun, phase: 'present' })
  }

  /** Writes the files of a layer and what is known of it, with the digests. */
  private async fill(
    { layerId, environmentId }: FreezeRequest,
    layer: StoredLayer & { facts: ReportedLayer },
  ): Promise<StoredLayer> {
    const { facts } = layer
    const files = Object.entries(await this.machines.readGuestFiles(environmentId))
    const onDisk = Object.fromEntries(files.filter(([name]) => !isInMemory(name)))
    const inMemory = Object.fromEntries(files.filter(([name]) => isInMemory(name)))
    const disk = await this.layers.put(layerId, 'disk', packGuestFiles(onDisk, facts.disk.bytes))
    const memory =
      facts.memory === null
        ? null
        : await this.layers.put(layerId, 'memory', packGuestFiles(inMemory, facts.memory.bytes))
    const filled = { ...layer, facts: { ...facts, disk, memory } }
    await this.layers.write(layerId, filled)
    return filled
  }

  private async describe({ layerId, environmentId, memory }: FreezeRequest, machine: StoredMachine) {
    const { address, identity, specification, disk, power } = machine
    if (address === null || identity === null || specification === null) {
      throw new HostError('host_refused', 'the machine has no identity: it was made by an earlier agent')
    }
    const parent = disk.layerId === null ? null : await this.layers.read(disk.layerId)
    if (disk.layerId !== null && parent?.facts == null) {
      throw new HostError('layer_damaged', `the layer ${disk.layerId} below the machine's disk is not there`)
    }
    const depth = (parent?.facts?.depth ?? 0) + 1
    if (depth > deepestLayer) {
      throw new HostError(
        'host_refused',
        `the machine's disk stands on ${deepestLayer} images and layers, which is the most: flatten the layer below it`,
      )
    }
    const isOn = power === 'running' || power === 'paused'
    const memoryFault = !isOn
      ? `the machine was off when ${layerId} was frozen`
      : (await this.volumes.keptFor(environmentId)).length > 0
        ? 'a volume is attached to the machine: another machine would not have it'
        : null
    const file = (bytes: number) => ({ bytes, digest: '0'.repeat(64) })
    const facts: ReportedLayer = {
      parentId: disk.layerId,
      depth,
      disk: file(disk.writtenBytes),
      totalBytes: disk.writtenBytes + (parent?.facts?.totalBytes ?? 0),
      virtualBytes: specification.diskGibibytes * 1024 ** 3,
      memory: memory && memoryFault === null ? file(memoryBytes) : null,
      memoryFault: memory ? memoryFault : null,
      pausedMilliseconds: isOn ? 0 : null,
    }
    const { image, virtualCpus, memoryMebibytes } = specification
    return {
      facts,
      origin: { identity, hostKey: address.hostKey, user: address.user },
      machine: {
        ...{ image, imageFingerprint, virtualCpus, memoryMebibytes },
        virtualBytes: facts.virtualBytes,
        emulation: facts.memory === null ? null : 'synthetic',
      },
    }
  }

  private begun(layerId: string, { epoch, generation }: Authority): StoredLayer {
    const { owner, clock } = this.options
    const createdAt = clock.now().toISOString()
    const ownership = { owner, layerId, epoch, generation, createdAt }
    return { ownership, phase: 'freezing', facts: null, origin: null, machine: null, next: null }
  }

  private leftover(layerId: string, usedBy: string[]): LayerEntry {
    const ownership = { owner: this.options.owner, layerId, epoch: 0, generation: 0, createdAt: '' }
    return { layerId, ownership, bytes: 0, parentId: null, usedBy }
  }

  private async own(layerId: string, authority: Authority): Promise<StoredLayer | null> {
    const stored = await this.layers.read(layerId)
    if (stored !== null) {
      const phase = stored.phase === 'present' ? 'present' : 'partial'
      assertMayTouchLayer({ layerId, phase, ownership: stored.ownership }, this.options.owner, authority)
    }
    return stored
  }

  private async present(layerId: string, authority: Authority) {
    const stored = await this.own(layerId, authority)
    if (stored?.phase !== 'present' || stored.facts === null) {
      throw new HostError('host_refused', `there is no layer ${layerId}`)
    }
    return { ...stored, facts: stored.facts }
  }

  private async copying(layerId: string, authority: Authority): Promise<StoredLayer> {
    const stored = await this.own(layerId, authority)
    if (stored?.phase !== 'copying') {
      throw new HostError('host_refused', `no copy of the layer ${layerId} is being received`)
    }
    return stored
  }

  /** The layer and all below it, the uppermost first. */
  private async chain(layerId: string): Promise<string[]> {
    const chain: string[] = []
    for (let id: string | null = layerId; id !== null; ) {
      chain.push(id)
      id = (await this.layers.read(id))?.facts?.parentId ?? null
    }
    return chain
  }

  /** Who stands on each layer. */
  private async usage(): Promise<Map<string, string[]>> {
    const used = new Map<string, string[]>()
    const note = (below: string | null | undefined, id: string) => {
      if (below != null) used.set(below, [...(used.get(below) ?? []), id])
    }
    for (const id of (await this.machines.list()).folders)
      note((await this.machines.read(id))?.disk.layerId, id)
    for (const id of (await this.layers.list()).folders)
      note((await this.layers.read(id))?.facts?.parentId, id)
    return used
  }
}
