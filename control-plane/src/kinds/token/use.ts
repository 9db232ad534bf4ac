import type { Clock } from '@hearth/foundation'
import type { Database } from '../../database/connection.ts'

const writeEveryMilliseconds = 60_000
/** Where two clients share a token. */
const leastMilliseconds = 5_000

/** Notes when and with what tokens are used, about once a minute each, so that reading does not mean writing. */
export class TokenUse {
  private readonly written = new Map<string, { at: number; client: string }>()

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  async note(tokenId: string, client: string): Promise<void> {
    const now = this.clock.now()
    const last = this.written.get(tokenId)
    const rest = last?.client === client ? writeEveryMilliseconds : leastMilliseconds
    if (last !== undefined && now.getTime() - last.at < rest) return
    this.written.set(tokenId, { at: now.getTime(), client })
    await this.database
      .updateTable('tokens')
      .set({ last_used_at: now, last_client: client })
      .where('id', '=', tokenId)
      .execute()
  }
}
