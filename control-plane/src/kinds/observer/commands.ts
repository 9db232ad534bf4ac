import type { ObserverStart, observerCreateSchema, observerRenewSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Caller } from '../../api/caller.ts'
import type { Command } from '../../api/command.ts'
import { found } from '../../api/lookup.ts'
import type { Services } from '../../api/services.ts'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { OnOne } from '../../resource/routes.ts'
import { requireResource } from '../quota/index.ts'
import { requireObserverMessaging } from './access.ts'
import { endObserver } from './keep.ts'
import { extendObserver, insertObserver, observers } from './queries.ts'
import { type ObserverRow, toObserver } from './table.ts'

const millisecondsPerHour = 3_600_000

/** What follows in NATS from a change of an observer, once the change is committed. */
interface Made {
  row: ObserverRow
  /** Where a consumer begins that is not there yet. */
  start: ObserverStart
}

/** Makes an observer and the consumer from which it reads. */
export const createObserver: Command<z.output<typeof observerCreateSchema>, Made> = {
  prepare: async ({ services }) => requireObserverMessaging(services),
  async run(tx, { services, caller }, { hours, start, ...made }) {
    const { organizationId, principalId: creator, limits } = caller
    await requireResource(tx, organizationId, limits, 'observers')
    const expiresAt = inHours(services, hours)
    return { row: await insertObserver(tx, { ...made, organizationId, creator, expiresAt }), start }
  },
  afterCommit: ({ services }, made) => ensureConsumer(services, made),
}

/** Gives an observer more time; it goes on where it is. */
export const renewObserver: Command<OnOne<z.output<typeof observerRenewSchema>>, Made> = {
  prepare: async ({ services }) => requireObserverMessaging(services),
  async run(tx, { services, caller }, { reference, body }) {
    const row = await lockOwn(tx, services, caller, reference)
    return { row: await extendObserver(tx, row.id, inHours(services, body.hours)), start: 'oldest' }
  },
  afterCommit: ({ services }, made) => ensureConsumer(services, made),
}

/** Ends an observer: without its consumer its credentials reach nothing. */
export const deleteObserver: Command<OnOne, ObserverRow> = {
  async run(tx, { services, caller }, { reference }) {
    const row = await lockOwn(tx, services, caller, reference)
    await extendObserver(tx, row.id, services.clock.now())
    return row
  },
  afterCommit: ({ services }, { id }) => endObserver(services.database, services.messaging, id),
}

/** Where NATS cannot be asked, the keeper of observers makes the consumer within a minute. */
async function ensureConsumer({ database, messaging }: Services, { row, start }: Made): Promise<void> {
  await messaging.ensureObserver(toObserver(row), start)
  const kept = await observers.find(database, { organizationId: row.organization_id }, row.id)
  // The observer was deleted meanwhile, perhaps before its consumer existed.
  if (kept === undefined) await messaging.removeObserver(row.id)
}

const inHours = ({ clock }: Services, hours: number) =>
  new Date(clock.now().getTime() + hours * millisecondsPerHour)

/** For its creator and administrators; under lock, so that it is not renewed while it is deleted, nor the other way round. */
async function lockOwn(
  tx: DatabaseTransaction,
  { clock }: Services,
  caller: Caller,
  reference: string,
): Promise<ObserverRow> {
  const locked = await observers.lock(tx, caller, reference)
  const isOver = locked !== undefined && locked.expires_at <= clock.now()
  const row = found(isOver ? undefined : locked, 'observer', reference)
  if (row.creator === caller.principalId || caller.roles.includes('administrator')) return row
  throw new HearthError('forbidden', `observer ${row.name} is someone else’s`)
}
