import { z } from 'zod'
import type { CommandRunner } from '../host/command/command-runner.ts'
import { exclusively } from '../host/exclusion.ts'

const epochSchema = z.object({ runnerId: z.string(), epoch: z.int().nonnegative() })

/**
 * The newest epoch under which an agent of this runner has acted on a host, stored on that host: so an older agent on
 * the host learns that it was replaced even when it has no connection.
 */
export class EpochFile {
  constructor(
    private readonly files: Pick<CommandRunner, 'readFile' | 'writeFile'>,
    private readonly path: string,
    private readonly runnerId: string,
    /** Folder on the agent's own host for the locks of the agents that may write the file. */
    private readonly locksFolder: string,
  ) {}

  /** The stored epoch; 0 where no agent of this runner has acted yet. */
  async read(): Promise<number> {
    const text = await this.files.readFile(this.path)
    if (text === null) return 0
    try {
      const { runnerId, epoch } = epochSchema.parse(JSON.parse(text.toString('utf8')))
      return runnerId === this.runnerId ? epoch : 0
    } catch {
      return 0
    }
  }

  /** Writes the epoch unless a newer one is stored. */
  async raise(epoch: number): Promise<void> {
    await exclusively(this.locksFolder, this.path, async () => {
      if ((await this.read()) >= epoch) return
      await this.files.writeFile(this.path, JSON.stringify({ runnerId: this.runnerId, epoch }), 0o600)
    })
  }
}
