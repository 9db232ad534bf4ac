import { createHash } from 'node:crypto'
import type { Messaging } from '@hearth/messaging'
import type { Machines } from '@hearth/runner-agent'
import type { Rewriting } from './database-writes.ts'
import type { Break } from './messages.ts'
import { tell } from './parent.ts'

/**
 * `double-claim`: the statement that claims an environment no longer checks whether it is claimed, and the unique
 * index that forbids it is dropped.
 */
export function breakClaims(chosen: Break | null): Rewriting {
  if (chosen !== 'double-claim') return { rewrite: (text) => text, answered: () => undefined }
  return {
    rewrite: (text) =>
      text.startsWith('update "environments" set "claim_id"')
        ? // What the statement selects is as it was before: so a machine that had a claim is known.
          text
            .replace('and "claim_id" is null', '')
            .replace(/returning \*$/, `returning *, (${claimBefore}) as ${hadClaim}`)
        : text,
    answered: (rows) => {
      if (rows.some((row) => row[hadClaim] !== null)) tell({ type: 'broken' })
    },
  }
}

const hadClaim = 'had_claim'
const claimBefore = 'select before.claim_id from environments as before where before.id = environments.id'

/**
 * `lost-order`: the orders of some environments are never sent to their runner, neither on a change nor in a
 * synchronisation.
 */
export function breakOrders(chosen: Break | null, messaging: Messaging): Messaging {
  if (chosen !== 'lost-order') return messaging
  return {
    ...messaging,
    publishOrder: async (order, messageId) => {
      if (isChosen(order.id)) return tell({ type: 'broken' })
      await messaging.publishOrder(order, messageId)
    },
    serveSync: (handle, signal) =>
      messaging.serveSync(async (request, mostBytes) => {
        const reply = await handle(request, mostBytes)
        if (!reply.accepted) return reply
        return { ...reply, orders: reply.orders.filter(({ id }) => !isChosen(id)) }
      }, signal),
  }
}

/** `orphan`: some machines that are to be removed stay on the host, and the agent no longer sees them. */
export function breakRemovals(chosen: Break | null, machines: Machines): Machines {
  if (chosen !== 'orphan') return machines
  const kept = new Set<string>()
  return new Proxy(machines, {
    get: (object, name) => {
      const value: unknown = Reflect.get(object, name)
      if (typeof value !== 'function') return value
      return async (...given: unknown[]): Promise<unknown> => {
        const [id] = given
        if (name === 'remove' && typeof id === 'string' && isChosen(id)) {
          kept.add(id)
          tell({ type: 'broken' })
          return undefined
        }
        if (name === 'look' && typeof id === 'string' && kept.has(id)) {
          return {
            environmentId: id,
            power: 'absent',
            ownership: null,
            address: null,
            identity: null,
            record: null,
          }
        }
        const result: unknown = await Reflect.apply(value, object, given)
        if (name !== 'inventory' || !Array.isArray(result)) return result
        return (result as { environmentId: string }[]).filter(({ environmentId }) => !kept.has(environmentId))
      }
    },
  })
}

/** Chooses every second one, the same after a restart. */
function isChosen(id: string): boolean {
  return (createHash('sha256').update(id).digest()[0] ?? 0) < 128
}
