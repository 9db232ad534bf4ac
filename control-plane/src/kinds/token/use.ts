import type { Clock } from '@hearth/foundation'
import type { Database } from '../../database/connection.ts'

const writeEveryMilliseconds = 60_000

/** Notes when tokens are used, at most once a minute each, so that reading does not mean writing. */
export class TokenUse {
  private readonly written = new Map<string, number>()

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  async note(tokenId: string): Promise<void> {
    const now = this.clock.now()
    if (now.getTime() - (this.written.get(tokenId) ?? 0) < writeEveryMilliseconds) return
    this.written.set(tokenId, now.getTime())
    await this.database.updateTable('tokens').set({ last_used_at: now }).where('id', '=', tokenId).execute()
  }
}
