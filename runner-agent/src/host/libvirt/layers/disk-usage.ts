import { posix } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { CommandRunner } from '../../command/command-runner.ts'
import { HostError } from '../../host-error.ts'
import { headerBytes, parseQcow2Header } from './qcow2.ts'

/** A disk that is just being made has no header for a moment. */
const attempts = 10
const attemptMilliseconds = 200

const script =
  'for path in "$1"/*/*.qcow2 "$2"/*/disk.qcow2; do [ -e "$path" ] || continue; ' +
  `printf '%s ' "$path"; head -c ${headerBytes} -- "$path" | base64 -w 0; echo; done`

/** Which disks stand on which layers, read from the disks on the host, whoever owns them. */
export class DiskUsage {
  constructor(
    private readonly runner: CommandRunner,
    private readonly machinesFolder: string,
    private readonly layersFolder: string,
  ) {}

  /** Ids of the environments and layers that stand on each layer; a disk that cannot be read is left out. */
  async all(): Promise<Map<string, string[]>> {
    return (await this.read()).usedBy
  }

  /** Who stands on the layer. Throws HostError while any disk cannot be read: it may be one that does. */
  async of(layerId: string): Promise<string[]> {
    for (let attempt = 1; ; attempt += 1) {
      const { usedBy, unreadable } = await this.read()
      const [first] = unreadable
      if (first === undefined) return usedBy.get(layerId) ?? []
      if (attempt === attempts) {
        throw new HostError('host_refused', `nothing says what the disk ${first} stands on`)
      }
      await delay(attemptMilliseconds)
    }
  }

  /** The layer whose disk has this path; null for another file. */
  layerAt(path: string): string | null {
    const id = posix.basename(posix.dirname(path))
    return path === posix.join(this.layersFolder, id, 'disk.qcow2') ? id : null
  }

  private async read(): Promise<{ usedBy: Map<string, string[]>; unreadable: string[] }> {
    const result = await this.runner.run(['sh', '-c', script, 'sh', this.machinesFolder, this.layersFolder], {
      outputLimitBytes: 512 * 1024 ** 2,
    })
    const usedBy = new Map<string, string[]>()
    const unreadable: string[] = []
    for (const line of result.stdout.split('\n').filter((text) => text !== '')) {
      const cut = line.lastIndexOf(' ')
      const path = line.slice(0, cut)
      const header = parseQcow2Header(Buffer.from(line.slice(cut + 1), 'base64'))
      if (header === null) unreadable.push(path)
      const below = header?.backingFile == null ? null : this.layerAt(header.backingFile)
      if (below === null) continue
      const user = posix.basename(posix.dirname(path))
      const users = usedBy.get(below) ?? []
      if (!users.includes(user)) usedBy.set(below, [...users, user])
    }
    return { usedBy, unreadable }
  }
}
