import type { Authority } from '../../authority.ts'
import { HostError } from '../../host-error.ts'
import type { LayerFileName, LayerManifest } from '../../layer.ts'
import type { ImageFolder } from '../image-folder.ts'
import { completeLayer } from './completion.ts'
import { digestFiles } from './digest.ts'
import { damaged } from './integrity.ts'
import type { LayerFileContent } from './layer-file.ts'
import type { LayerFolder } from './layer-folder.ts'
import type { LayerPlace } from './layer-place.ts'
import { headerBytes, parseQcow2Header } from './qcow2.ts'

/** Receives layers that are copied from other hosts. */
export class Copying {
  constructor(
    private readonly place: LayerPlace,
    private readonly images: ImageFolder,
    private readonly clock: { now(): Date },
  ) {}

  begin(manifest: LayerManifest, authority: Authority): Promise<void> {
    const { place } = this
    const { layerId } = manifest
    return place.exclusion.layer(layerId, async () => {
      const content = await place.own(layerId, authority)
      if (content?.phase === 'present') return
      await this.basePath(manifest)
      const folder = place.folder(layerId)
      const copying = this.contentOf(manifest, authority)
      const isSame = content !== null && content.environmentId === null && isSameCopy(content, copying)
      const bytes = manifest.facts.disk.bytes + (manifest.facts.memory?.bytes ?? 0)
      const there = isSame ? await this.bytesThere(folder) : 0
      await place.assertRoom(`a copy of the layer ${layerId}`, Math.max(0, bytes - there))
      await authority.assertHeld()
      if (isSame) return
      if (content !== null) await folder.remove()
      await folder.open(copying)
    })
  }

  async receivedBytes(layerId: string, file: LayerFileName): Promise<number> {
    const folder = this.place.folder(layerId)
    const content = await folder.read()
    // A copy that was found to be right has its place already.
    return content?.phase === 'checked' ? (content.facts[file]?.bytes ?? 0) : this.size(partOf(folder, file))
  }

  async write(
    layerId: string,
    file: LayerFileName,
    offset: number,
    content: Buffer,
    authority: Authority,
  ): Promise<void> {
    const path = partOf(this.place.folder(layerId), file)
    const [known, there] = [await this.place.own(layerId, authority), await this.size(path)]
    if (known?.phase !== 'copying') throw notBegun(layerId)
    if (offset !== there) {
      throw new HostError('host_refused', `the ${file} of ${layerId} has ${there} bytes, not ${offset}`)
    }
    await authority.assertHeld()
    await this.place.runner.writePart(path, offset, content)
  }

  complete(layerId: string, authority: Authority): Promise<void> {
    const { place } = this
    return place.exclusion.layer(layerId, async () => {
      const content = await place.own(layerId, authority)
      if (content?.phase === 'present') return
      if (content === null || content.environmentId !== null) throw notBegun(layerId)
      const folder = place.folder(layerId)
      await authority.assertHeld()
      if (content.phase === 'copying') {
        try {
          await this.check(folder, content)
        } catch (thrown) {
          if (thrown instanceof HostError && thrown.code === 'layer_damaged') await folder.remove()
          throw thrown
        }
        await folder.write({ ...content, phase: 'checked' })
      }
      await this.putOver(folder, content, authority)
    })
  }

  /** Throws HostError `layer_damaged` unless the files are those of the manifest. */
  private async check(folder: LayerFolder, { facts }: LayerFileContent): Promise<void> {
    for (const name of ['disk', 'memory'] as const) {
      const known = facts[name]
      if (known === null) continue
      const path = partOf(folder, name)
      const bytes = await this.size(path)
      const [digest] = bytes === known.bytes ? await digestFiles(this.place.runner, [path], bytes) : []
      if (digest !== known.digest) throw damaged(folder.layerId, `the copy of its ${name} has other bytes`)
    }
    const header = parseQcow2Header(await this.place.runner.readPart(folder.received, 0, headerBytes))
    // A file of this host that the header names would be read by whoever gets the machine.
    if (header === null || header.hasDataFile) throw damaged(folder.layerId, 'its disk is no disk of Hearth')
  }

  /** Puts the disk over the layer or the image on this host, which may have another path than where it was copied from. */
  private async putOver(folder: LayerFolder, content: LayerFileContent, authority: Authority): Promise<void> {
    const { runner } = this.place
    const { facts, machine } = content
    const { layerId } = folder
    const base = await this.basePath({ layerId, facts, machine })
    await authority.assertHeld()
    await runner.rename(folder.received, folder.disk)
    const script = 'chmod 0600 -- "$1" && qemu-img rebase -u -f qcow2 -F qcow2 -b "$2" "$1"'
    const result = await runner.run(['sh', '-c', script, 'sh', folder.disk, base.path])
    if (result.exitCode !== 0) {
      throw new HostError('host_refused', `the copy cannot be put over ${base.path}: ${result.stderr.trim()}`)
    }
    const { depth, totalBytes } = base
    await completeLayer(this.place, folder, { ...content, facts: { ...facts, depth, totalBytes } }, authority)
  }

  /** What a copy is to stand on. Throws HostError when it is not on this host. */
  private async basePath({ layerId, facts, machine }: Pick<LayerManifest, 'layerId' | 'facts' | 'machine'>) {
    const image = await this.images.find(machine.image)
    if (image.fingerprint !== machine.imageFingerprint) {
      throw new HostError(
        'host_refused',
        `the layer ${layerId} stands on the image "${image.name}" (${machine.imageFingerprint}); ` +
          `on this host it is another one (${image.fingerprint})`,
      )
    }
    if (facts.parentId === null) return { path: image.diskPath, depth: 1, totalBytes: 0 }
    const parent = await this.place.folder(facts.parentId).read()
    if (parent?.phase !== 'present') {
      throw new HostError(
        'host_refused',
        `the layer ${layerId} stands on ${facts.parentId}, which is not here`,
      )
    }
    const { depth, totalBytes } = parent.facts
    return { path: this.place.folder(facts.parentId).disk, depth: depth + 1, totalBytes }
  }

  private contentOf(
    { layerId, facts, origin, machine }: LayerManifest,
    authority: Authority,
  ): LayerFileContent {
    const { epoch, generation } = authority
    const createdAt = this.clock.now().toISOString()
    const ownership = { owner: this.place.owner, layerId, epoch, generation, createdAt }
    return { ownership, phase: 'copying', environmentId: null, facts, origin, machine, flattened: null }
  }

  private async bytesThere(folder: LayerFolder): Promise<number> {
    const { layerId } = folder
    return (await this.receivedBytes(layerId, 'disk')) + (await this.receivedBytes(layerId, 'memory'))
  }

  /** Zero where there is no such file. */
  private async size(path: string): Promise<number> {
    const { exitCode, stdout } = await this.place.runner.run(['stat', '-c', '%s', '--', path])
    return exitCode === 0 ? Number(stdout) : 0
  }
}

function partOf(folder: LayerFolder, file: LayerFileName): string {
  return file === 'disk' ? folder.received : folder.memory
}

function isSameCopy(one: LayerFileContent, other: LayerFileContent): boolean {
  return (
    one.facts.disk.digest === other.facts.disk.digest &&
    one.facts.memory?.digest === other.facts.memory?.digest &&
    one.facts.parentId === other.facts.parentId
  )
}

function notBegun(layerId: string): HostError {
  return new HostError('host_refused', `no copy of the layer ${layerId} is being received`)
}
