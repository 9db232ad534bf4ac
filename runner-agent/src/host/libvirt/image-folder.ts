import { posix } from 'node:path'
import { startOfText } from '@hearth/contract'
import { z } from 'zod'
import type { CommandRunner } from '../command/command-runner.ts'
import { HostError } from '../host-error.ts'
import { type Image, imageSchema } from '../image.ts'

export interface LocatedImage extends Image {
  /** Paths on the host. */
  diskPath: string
  kernelPath: string | null
  initrdPath: string | null
  virtualSizeBytes: number
}

/** The base images of a host: one folder each, with `image.json`. */
export class ImageFolder {
  private readonly sizes = new Map<string, number>()

  constructor(
    private readonly runner: CommandRunner,
    private readonly folder: string,
  ) {}

  async names(): Promise<string[]> {
    const names = await this.runner.list(this.folder)
    const held = await Promise.all(
      names.map(async (name) => ((await this.read(name)) === null ? [] : [name])),
    )
    return held.flat().sort()
  }

  /** Throws HostError `image_missing` when the host does not have the image. */
  async find(name: string): Promise<LocatedImage> {
    const image = await this.read(name)
    if (image === null) {
      throw new HostError(
        'image_missing',
        `the base image "${name}" is not in ${this.folder} on ${this.runner.describedAs}`,
      )
    }
    const at = (file: string) => posix.join(this.folder, name, file)
    return {
      ...image,
      diskPath: at(image.disk),
      kernelPath: image.kernel === undefined ? null : at(image.kernel),
      initrdPath: image.initrd === undefined ? null : at(image.initrd),
      virtualSizeBytes: await this.virtualSize(at(image.disk), image.fingerprint),
    }
  }

  private async read(name: string): Promise<Image | null> {
    const text = await this.runner.readFile(posix.join(this.folder, name, 'image.json'))
    if (text === null) return null
    try {
      return imageSchema.parse(JSON.parse(text.toString('utf8')))
    } catch {
      // Incomplete, or not one of ours: not an image.
      return null
    }
  }

  private async virtualSize(diskPath: string, fingerprint: string): Promise<number> {
    const key = `${fingerprint} ${diskPath}`
    const known = this.sizes.get(key)
    if (known !== undefined) return known
    const result = await this.runner.run(['qemu-img', 'info', '--force-share', '--output=json', diskPath])
    if (result.exitCode !== 0) {
      throw new HostError('image_missing', `the base image's disk cannot be read: ${result.stderr.trim()}`)
    }
    const size = parseVirtualSize(result.stdout)
    if (size === null) {
      throw new HostError(
        'host_refused',
        `qemu-img does not say how large ${diskPath} is: "${startOfText(result.stdout, 200)}"`,
      )
    }
    this.sizes.set(key, size)
    return size
  }
}

/** Size in bytes; null where `qemu-img info` does not report it. */
function parseVirtualSize(answer: string): number | null {
  try {
    return diskInformationSchema.parse(JSON.parse(answer))['virtual-size']
  } catch {
    return null
  }
}

const diskInformationSchema = z.object({ 'virtual-size': z.int().positive() })
