import { HearthError } from '@hearth/foundation'
import { errors, type NatsConnection, type Status } from '@nats-io/transport-node'
import type { ConnectionStatus, MessagingOptions } from './options.ts'

interface FollowedStatus {
  isConnected(): boolean
  /** Number of connections made so far. */
  session(): number
  whenConnected(timeoutMilliseconds: number): Promise<void>
}

/** Tracks whether the connection is up and reports every change. */
export function followStatus(nats: NatsConnection, options: MessagingOptions): FollowedStatus {
  let connected = true
  let session = 1
  const waiting = new Set<() => void>()
  const wake = () => {
    for (const resume of waiting) resume()
    waiting.clear()
  }
  // Without a connection every attempt fails with the same message: it is reported once.
  const told = new Set<string>()
  const tell = (status: ConnectionStatus, detail: string) => {
    const words = `${status} ${detail}`
    if (connected) told.clear()
    else if (told.has(words)) return
    else told.add(words)
    options.onStatus?.(status, detail)
  }

  const follow = async () => {
    tell('connected', nats.getServer())
    for await (const status of nats.status()) {
      if (status.type === 'disconnect') connected = false
      if (status.type === 'reconnect') {
        connected = true
        session += 1
        wake()
      }
      const change = describe(status)
      if (change !== undefined) tell(change.status, change.detail)
    }
  }
  const statusFollowed = follow()
  void nats.closed().then(async (reason) => {
    connected = false
    wake()
    await statusFollowed
    tell('closed', reason instanceof Error ? reason.message : '')
  })

  return {
    isConnected: () => connected,
    session: () => session,
    async whenConnected(timeoutMilliseconds) {
      if (!connected && !nats.isClosed()) await woken(waiting, timeoutMilliseconds)
      if (nats.isClosed())
        throw new HearthError('unavailable', 'the NATS connection is closed', { retryable: false })
      if (!connected) throw new HearthError('unavailable', 'not connected to NATS')
    },
  }
}

function woken(waiting: Set<() => void>, timeoutMilliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const resume = () => {
      clearTimeout(timer)
      waiting.delete(resume)
      resolve()
    }
    const timer = setTimeout(resume, timeoutMilliseconds)
    waiting.add(resume)
  })
}

function describe(status: Status): { status: ConnectionStatus; detail: string } | undefined {
  if (status.type === 'disconnect') return { status: 'disconnected', detail: status.server }
  if (status.type === 'reconnect') return { status: 'reconnected', detail: status.server }
  if (status.type === 'error' && isDenial(status.error))
    return { status: 'denied', detail: status.error.message }
  return undefined
}

function isDenial(error: Error): boolean {
  return (
    error instanceof errors.PermissionViolationError ||
    error instanceof errors.AuthorizationError ||
    error instanceof errors.UserAuthenticationExpiredError
  )
}
