import { type Presence, presenceSchema, subjects } from '@hearth/contract'
import type { Connection } from './connection.ts'
import { checkSubject, decode, encode } from './message.ts'
import { subscribe } from './subscribe.ts'

/** Sent once and not kept; while there is no connection it is dropped, since an old heartbeat proves nothing. */
export function publishPresence(connection: Connection, presence: Presence): void {
  if (!connection.isConnected()) return
  connection.nats.publish(subjects.presence(presence.runnerId), encode(presence))
}

/** Every subscriber gets every heartbeat, until the signal aborts. */
export function subscribePresence(
  connection: Connection,
  handle: (presence: Presence) => void | Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  return subscribe(connection, { subject: subjects.allPresence, signal }, async (message) => {
    const presence = decode(presenceSchema, message)
    checkSubject(message.subject, subjects.presence(presence.runnerId))
    await handle(presence)
  })
}
