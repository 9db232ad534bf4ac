import { setTimeout as delay } from 'node:timers/promises'
import type { Authority } from '../../authority.ts'
import { HostError } from '../../host-error.ts'
import type { ImageFolder } from '../image-folder.ts'
import { digestFiles } from './digest.ts'
import { damaged } from './integrity.ts'
import type { LayerFileContent } from './layer-file.ts'
import type { LayerFolder } from './layer-folder.ts'
import type { LayerPlace } from './layer-place.ts'

/** Long enough for any disk: what ends it sooner is the signal. */
const flattenMilliseconds = 12 * 3_600_000
const progressMilliseconds = 250

/**
 * Gives layers the image as their only base. The content is the same, so that machines may stand on the old file and on
 * the new one at once; the layers below are free when nothing else stands on them.
 */
export class Flattening {
  constructor(
    private readonly place: LayerPlace,
    private readonly images: ImageFolder,
  ) {}

  flatten(
    layerId: string,
    progress: (doneBytes: number, totalBytes: number) => void,
    signal: AbortSignal,
    authority: Authority,
  ): Promise<void> {
    const { place } = this
    return place.exclusion.flattening(layerId, async () => {
      const content = await this.finish(layerId, authority)
      if (content.facts.parentId === null) return
      const folder = place.folder(layerId)
      const { totalBytes } = content.facts
      await place.assertRoom(`flattening the layer ${layerId}`, totalBytes)
      await place.integrity.check(layerId)
      await authority.assertHeld()
      await this.make(folder, content, (done) => progress(Math.min(done, totalBytes), totalBytes), signal)
      await this.prepare(layerId, folder, authority)
      await this.finish(layerId, authority)
      progress(totalBytes, totalBytes)
    })
  }

  /** Makes the new disk beside the old one. */
  private async make(
    folder: LayerFolder,
    { machine, facts }: LayerFileContent,
    progress: (doneBytes: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const image = await this.images.find(machine.image)
    if (image.fingerprint !== machine.imageFingerprint) {
      throw new HostError('host_refused', `the image "${image.name}" is another one than the layer stands on`)
    }
    const script =
      'umask 077; cp --reflink=auto --sparse=always -- "$1" "$2" && chmod 0600 -- "$2" && ' +
      'exec nice -n 10 qemu-img rebase -q -f qcow2 -F qcow2 -b "$3" "$2"'
    const stop = new AbortController()
    const watching = this.watch(folder.flattened, progress, stop.signal)
    try {
      const result = await this.place.runner.run(
        ['sh', '-c', script, 'sh', folder.disk, folder.flattened, image.diskPath],
        { signal, timeoutMilliseconds: flattenMilliseconds },
      )
      if (result.exitCode !== 0) {
        throw new HostError('host_refused', `the layer cannot be flattened: ${result.stderr.trim()}`)
      }
    } catch (thrown) {
      await this.place.runner.remove(folder.flattened)
      signal.throwIfAborted()
      throw thrown
    } finally {
      stop.abort()
      await watching
    }
    progress(facts.totalBytes)
  }

  /** Writes down what the new disk is, before it takes the place of the old one. */
  private async prepare(layerId: string, folder: LayerFolder, authority: Authority): Promise<void> {
    const { place } = this
    await place.closeFiles(folder.flattened, null)
    const size = await place.runner.run([
      'sh',
      '-c',
      'sync -- "$1" && stat -c %s -- "$1"',
      'sh',
      folder.flattened,
    ])
    const bytes = Number(size.stdout)
    if (size.exitCode !== 0) throw damaged(layerId, size.stderr.trim())
    const [digest = ''] = await digestFiles(place.runner, [folder.flattened], bytes)
    await place.exclusion.layer(layerId, async () => {
      const content = await place.present(layerId, authority)
      const flattened = {
        ...content.facts,
        parentId: null,
        depth: 1,
        disk: { bytes, digest },
        totalBytes: bytes,
      }
      await authority.assertHeld()
      await folder.write({ ...content, flattened })
    })
  }

  /** Puts a new disk that was prepared in the place of the old one. */
  private finish(layerId: string, authority: Authority): Promise<LayerFileContent> {
    const { place } = this
    return place.exclusion.layer(layerId, async () => {
      const folder = place.folder(layerId)
      const content = await place.present(layerId, authority)
      const { flattened } = content
      await authority.assertHeld()
      if (flattened === null) {
        await place.runner.remove(folder.flattened)
        return content
      }
      await place.runner.rename(folder.flattened, folder.disk)
      await place.integrity.note(folder, ['disk'])
      const facts = { ...flattened, memory: content.facts.memory, memoryFault: content.facts.memoryFault }
      const finished = { ...content, facts, flattened: null }
      await folder.write(finished)
      return finished
    })
  }

  /** Tells how large the new disk is, until the signal. */
  private async watch(path: string, progress: (bytes: number) => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await delay(progressMilliseconds, undefined, { signal }).catch(() => undefined)
      const result = await this.place.runner.run(['stat', '-c', '%s', '--', path]).catch(() => null)
      if (!signal.aborted && result?.exitCode === 0) progress(Number(result.stdout))
    }
  }
}
