import { posix } from 'node:path'
import { isId } from '@hearth/foundation'
import type { CommandRunner } from './command-runner.ts'

const draftPrefixes = ['.making', '.removing'] as const

/**
 * The folders of machines, one each. A folder comes into being and goes in one move, so that each one that stands
 * says by a file in it whose it is; what a cut leaves behind of a move says it by its name.
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

  /** The ids that have a folder, whoever's it is, and those of which a cut left something of this owner's. */
  async list(): Promise<{ folders: string[]; leftovers: string[] }> {
    const names = await this.runner.list(this.root)
    const leftovers = draftPrefixes.flatMap((prefix) => {
      const start = `${prefix}-${this.owner}-`
      return names.filter((name) => name.startsWith(start)).map((name) => name.slice(start.length))
    })
    return { folders: names.filter(isId), leftovers: [...new Set(leftovers)].filter(isId) }
  }

  /** Makes a folder with one file in it (0600). Rejects when one stands there that holds anything. */
  async open(environmentId: string, file: string, content: string): Promise<void> {
    const draft = this.draft('.making', environmentId)
    await this.runner.remove(draft)
    await this.runner.writeFile(posix.join(draft, file), content, 0o600)
    await this.runner.rename(draft, this.path(environmentId))
  }

  /** Removes a folder that has proved to be this owner's, and what a cut left of it. */
  async remove(environmentId: string): Promise<void> {
    const removing = this.draft('.removing', environmentId)
    await this.clear(environmentId)
    await this.runner.rename(this.path(environmentId), removing)
    await this.runner.remove(removing)
  }

  /** Removes what a cut left; a folder that stands is not touched. */
  async clear(environmentId: string): Promise<void> {
    for (const prefix of draftPrefixes) await this.runner.remove(this.draft(prefix, environmentId))
  }

  private draft(prefix: (typeof draftPrefixes)[number], environmentId: string): string {
    if (!isId(environmentId)) throw new Error(`not an environment's id: ${environmentId}`)
    return posix.join(this.root, `${prefix}-${this.owner}-${environmentId}`)
  }
}
