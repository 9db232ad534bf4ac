import {
  kindOfSync,
  kindsOfSync,
  type OrderEnvelope,
  type SyncReply,
  type SyncRequest,
} from '@hearth/contract'
import type { Logger } from 'pino'
import type { Database } from '../database/connection.ts'
import type { Encryption } from '../database/encryption.ts'
import { noteWorkKinds, refuseSync } from '../kinds/runner/index.ts'
import type { WantedOrder, WorkKind } from '../work/work-kind.ts'
import { orderPage } from './order-page.ts'

export interface SynchronisationOptions {
  database: Database
  encryption: Encryption
  workKinds: readonly WorkKind[]
  log: Logger
}

/**
 * Answers an agent's inventory of one kind of work with the orders it should have and the inventory's items that are
 * unwanted. An agent that asks for pages gets the orders in pages, without those that it has already.
 */
export class Synchronisation {
  private readonly kinds: readonly string[]
  /** Pairs of runner and kind for which it was logged that the agent does not know the kind. */
  private readonly logged = new Set<string>()

  constructor(private readonly options: SynchronisationOptions) {
    this.kinds = options.workKinds.map(({ messages }) => messages.kind)
  }

  async answer(request: SyncRequest, mostBytes: number): Promise<SyncReply<OrderEnvelope>> {
    const { database, workKinds } = this.options
    const refusal = await refuseSync(database, request)
    if (refusal !== null) return refusal
    const { kinds } = this
    const asked = kindOfSync(request)
    const kind = workKinds.find(({ messages }) => messages.kind === asked)
    // This version does not know the kind. Its answer does not name it, so that the agent leaves that work alone.
    if (kind === undefined) return { accepted: true, kinds: [...kinds], orders: [], unwanted: [] }
    if (request.kind === undefined && request.after == null) {
      await noteWorkKinds(database, request)
      await this.logUnknownToAgent(request)
    }
    const named = request.kind === undefined ? {} : { kind: asked }
    return { accepted: true, ...named, kinds: [...kinds], ...(await this.desired(kind, request, mostBytes)) }
  }

  private async desired(kind: WorkKind, request: SyncRequest, mostBytes: number) {
    const { database, encryption, log } = this.options
    const { runnerId, epoch, after, inventory, work = [], held = {} } = request
    const wanted = await kind.wantedOrders(database, runnerId)
    const present = [...inventory.map(({ environmentId }) => environmentId), ...work.map(({ id }) => id)]
    const unwanted = present.filter((id) => !wanted.has(id))
    const onUnusable = (id: string, error: Error) =>
      log.warn(
        { kind: kind.messages.kind, id, runnerId, err: error },
        'left an order out of the answer to a synchronisation',
      )
    if (after === undefined) {
      const orders = await kind.currentOrders(database, encryption, { runnerId }, onUnusable)
      return { orders, unwanted }
    }
    const unchanged = Object.keys(held).filter((id) => wanted.get(id)?.digest === held[id])
    const known = new Set(unchanged)
    const ids = [...wanted.keys()].filter((id) => !known.has(id))
    const page = await orderPage(database, encryption, kind, { runnerId, ids, after, mostBytes }, onUnusable)
    const notCommitted = work.filter(({ id, sequence }) => isAhead({ epoch, sequence }, wanted.get(id)))
    return {
      ...page,
      // Sent with the first page only: later pages are of the same synchronisation.
      unchanged: after === null ? unchanged : [],
      unwanted,
      ...(notCommitted.length === 0 ? {} : { untold: notCommitted.map(({ id }) => id) }),
    }
  }

  /** Logs, once for each runner and kind, that orders wait because the agent does not know their kind. */
  private async logUnknownToAgent(request: SyncRequest): Promise<void> {
    const { database, workKinds, log } = this.options
    const { runnerId } = request
    const known = new Set(kindsOfSync(request))
    for (const workKind of workKinds) {
      const { kind } = workKind.messages
      const name = `${runnerId} ${kind}`
      if (known.has(kind)) this.logged.delete(name)
      else if (!this.logged.has(name)) {
        const { size } = await workKind.wantedOrders(database, runnerId)
        if (size === 0) continue
        this.logged.add(name)
        log.warn(
          { runnerId, kind, orders: size },
          'the agent does not know this kind of work: its orders wait for a newer agent',
        )
      }
    }
  }
}

/** Whether the agent's newest report is newer than the newest committed one. */
function isAhead(sent: { epoch: number; sequence: number }, wanted: WantedOrder | undefined): boolean {
  if (sent.sequence === 0 || wanted === undefined || wanted.reported === null) return false
  const { epoch, sequence } = wanted.reported
  return sent.epoch > epoch || (sent.epoch === epoch && sent.sequence > sequence)
}
