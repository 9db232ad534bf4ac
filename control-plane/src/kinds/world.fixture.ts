import { FixedClock, newId } from '@hearth/foundation'
import { createTestDatabase } from '@hearth/testing'
import { connectDatabase, type Database } from '../database/connection.ts'
import { migrate } from '../database/migrate.ts'
import { transact } from '../database/transact.ts'
import { prepareQueue } from '../reconciling/queue.ts'
import type { Reconciler } from '../reconciling/reconciler.ts'
import { wakeAt } from '../reconciling/wake.ts'
import { defaultTimings } from '../timings.ts'
import { named, now, Party } from './party.fixture.ts'

export { now, Party, type Pool, secondsAgo } from './party.fixture.ts'
export { classSpec, projectSpec } from './party-specs.fixture.ts'
export { emptyPrebuildStatus } from './prebuild/table.ts'

async function prepare(url: string): Promise<void> {
  await migrate(url)
  const { pool } = connectDatabase(url, () => undefined)
  await prepareQueue(pool)
  await pool.end()
}

/** A PostgreSQL with the whole schema, a clock that stands still, and organizations made in it. */
export class World implements AsyncDisposable {
  static async create(): Promise<World> {
    const { url, [Symbol.asyncDispose]: drop } = await createTestDatabase(prepare)
    const { database, close } = connectDatabase(url, () => undefined)
    return new World(database, async () => {
      await close()
      await drop()
    })
  }

  readonly clock = new FixedClock(now)

  private constructor(
    readonly database: Database,
    private readonly end: () => Promise<void>,
  ) {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
  }

  /** Runs a reconciler as the queue does. */
  async reconcile(reconciler: Reconciler, id: string): Promise<void> {
    await transact(this.database, async (tx) => {
      const next = await reconciler.reconcile(id, { tx, clock: this.clock, timings: defaultTimings })
      if (next !== null) await wakeAt(tx, reconciler.kind, id, next)
    })
  }

  async party(): Promise<Party> {
    const id = newId()
    await this.database
      .insertInto('organizations')
      .values({
        ...named(id, id, 'organization'),
        spec: '{}',
        status: '{}',
        certificate_authority_key: Buffer.alloc(0),
      })
      .execute()
    return new Party(this.database, id)
  }
}
