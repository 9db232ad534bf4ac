import { mostMessageBytes, type Presence, presenceSchema, subjects } from '@hearth/contract'
import { Allowance } from './allowance.ts'
import type { Connection } from './connection.ts'
import { checkSubject, decode, encode } from './message.ts'
import { subscribe } from './subscribe.ts'

/** Sent once and not stored; dropped while there is no connection, since an old heartbeat proves nothing. */
export function publishPresence(connection: Connection, presence: Presence): void {
  if (!connection.isConnected()) return
  connection.nats.publish(subjects.presence(presence.runnerId), encode(presence))
}

/** An agent sends one heartbeat in five seconds; further heartbeats of a runner beyond this limit are ignored. */
const allowed = { perSecond: 5, burst: 20 }

/** Passes every heartbeat to every subscriber until the signal aborts, except those of a runner that sends too many. */
export function subscribePresence(
  connection: Connection,
  handle: (presence: Presence) => void | Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const allowance = new Allowance(allowed)
  const admit = ({ subject }: { subject: string }) => allowance.take(subject)
  return subscribe(connection, { subject: subjects.allPresence, signal, admit }, async (message) => {
    const presence = decode(presenceSchema, message, mostMessageBytes.presence)
    checkSubject(message.subject, subjects.presence(presence.runnerId))
    await handle(presence)
  })
}
