import type { Event } from '@hearth/contract'
import { eventually } from '@hearth/testing'
import pg from 'pg'
import { expect } from 'vitest'

/** The events that an organization's observers should have seen, read from the table. */
export async function loggedEvents(
  url: string,
  organizationId: string,
): Promise<{ id: string; position: number }[]> {
  const database = new pg.Client({ connectionString: url })
  await database.connect()
  try {
    // Reading starts when every committed event has its position.
    await eventually(
      async () => (await database.query('SELECT 1 FROM events WHERE position IS NULL')).rowCount === 0,
      { timeoutMilliseconds: 30_000 },
    )
    const { rows } = await database.query<{ id: string; position: string }>(
      'SELECT id, position FROM events WHERE organization_id = $1 ORDER BY position',
      [organizationId],
    )
    return rows.map(({ id, position }) => ({ id, position: Number(position) }))
  } finally {
    await database.end()
  }
}

/** Checks that each event of a resource has a higher version than the one before. */
export function expectRisingVersions(events: readonly Event[]): void {
  const seen = new Map<string, { spec: number; status: number }>()
  for (const { kind, resourceId, specVersion, statusVersion } of events) {
    if (specVersion === null || statusVersion === null) continue
    const before = seen.get(resourceId)
    if (before !== undefined) {
      const told = `${kind} ${resourceId}: ${specVersion}/${statusVersion} after ${before.spec}/${before.status}`
      expect(specVersion >= before.spec && statusVersion >= before.status, told).toBe(true)
    }
    seen.set(resourceId, { spec: specVersion, status: statusVersion })
  }
}
