import { posix } from 'node:path'
import { isId } from '@hearth/foundation'
import type { CommandRunner } from './command-runner.ts'

const draftPrefixes = ['.making', '.removing'] as const

/**
 * The folders of machines, one per machine. A folder is created and removed by one atomic rename, so that every
 * complete folder holds a file that names its owner; what an interrupted creation or removal leaves behind names its
 * owner in the folder's name.
 */
export class OwnedFolders {
  constructor(
    private readonly runner: CommandRunner,
    private readonly root: string,
    private readonly owner: string,
  ) {}

  path(environmentId: string): string {
    if (!isId(environmentId)) throw new Error(`not an environment's id: ${environmentId}`)
    return posix.join(this.root, environmentId)
  }

  /** Ids that have a folder of any owner, and ids of which an interrupted operation left something of this owner. */
  async list(): Promise<{ folders: string[]; leftovers: string[] }> {
    const names = await this.runner.list(this.root)
    const leftovers = draftPrefixes.flatMap((prefix) => {
      const start = `${prefix}-${this.owner}-`
      return names.filter((name) => name.startsWith(start)).map((name) => name.slice(start.length))
    })
    return { folders: names.filter(isId), leftovers: [...new Set(leftovers)].filter(isId) }
  }

  /** Creates a folder with one file in it (mode 0600). Rejects when a folder that is not empty already exists. */
  async open(environmentId: string, file: string, content: string): Promise<void> {
    const draft = this.draft('.making', environmentId)
    await this.runner.remove(draft)
    await this.runner.writeFile(posix.join(draft, file), content, 0o600)
    await this.runner.rename(draft, this.path(environmentId))
  }

  /** Removes a folder that is proved to belong to this owner, and what interrupted operations left of it. */
  async remove(environmentId: string): Promise<void> {
    const removing = this.draft('.removing', environmentId)
    await this.clear(environmentId)
    await this.runner.rename(this.path(environmentId), removing)
    await this.runner.remove(removing)
  }

  /** Removes what interrupted operations left; a complete folder is not touched. */
  async clear(environmentId: string): Promise<void> {
    for (const prefix of draftPrefixes) await this.runner.remove(this.draft(prefix, environmentId))
  }

  private draft(prefix: (typeof draftPrefixes)[number], environmentId: string): string {
    if (!isId(environmentId)) throw new Error(`not an environment's id: ${environmentId}`)
    return posix.join(this.root, `${prefix}-${this.owner}-${environmentId}`)
  }
}
