import { type ObserverAccess, observerConsumer, observerDomain, streams, subjects } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { issueObserverCredentials } from '@hearth/messaging'
import type { Services } from '../../api/services.ts'
import { type ObserverRow, toObserver } from './table.ts'

/** Refuses early where NATS asks for credentials and there is nothing to sign them with. */
export function requireObserverMessaging({ observerMessaging }: Services): void {
  if (observerMessaging.isOpen || observerMessaging.accountSeed !== null) return
  throw new HearthError(
    'conflict',
    'this installation cannot issue NATS credentials: HEARTH_NATS_OBSERVER_SEED_FILE is not set',
  )
}

/** Where and with what an observer reads; new credentials each time. */
export async function accessOf(services: Services, row: ObserverRow): Promise<ObserverAccess> {
  const { accountSeed } = services.observerMessaging
  const consumer = observerConsumer(row.id)
  return {
    observer: toObserver(row),
    nats: {
      servers: [...services.runnerMessaging.servers],
      stream: streams.event,
      consumer,
      domain: observerDomain,
      inboxPrefix: subjects.inbox(consumer),
      credentials:
        accountSeed === null ? null : await issueObserverCredentials(accountSeed, row.id, row.expires_at),
    },
  }
}
