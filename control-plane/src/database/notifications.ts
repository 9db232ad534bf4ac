import { backoff, toError } from '@hearth/foundation'
import type pg from 'pg'
import { boundedClient } from './bounded-client.ts'
import { connectionSettings } from './connection.ts'

const channels = ['hearth_outbox', 'hearth_orders', 'hearth_events', 'hearth_tokens'] as const
export type Channel = (typeof channels)[number]

/** Interval of a query that checks the listening connection: without traffic a broken one is not noticed. */
const askEveryMilliseconds = 15_000
const ListeningClient = boundedClient(10_000)

/**
 * PostgreSQL's LISTEN on one connection of its own, reconnected for ever. A notification is only a hint: it may be
 * lost while the connection is down, so after a reconnect every listener is called as if it had been notified.
 */
export class Notifications {
  private readonly listeners = new Map<Channel, Set<() => void>>()
  private client: pg.Client | null = null
  private retry: NodeJS.Timeout | null = null
  private attempt = 0
  private closed = false
  private connected = false

  constructor(
    private readonly url: string,
    private readonly onError: (error: Error) => void,
  ) {}

  async start(): Promise<void> {
    const client = new ListeningClient(connectionSettings(this.url, 'hearth-notifications'))
    this.client = client
    client.on('error', this.onError)
    let asking: NodeJS.Timeout | undefined
    client.on('end', () => {
      clearInterval(asking)
      this.connected = false
      this.reconnect(client)
    })
    client.on('notification', ({ channel }) => this.call(channel as Channel))
    await client.connect()
    for (const channel of channels) await client.query(`LISTEN ${channel}`)
    asking = setInterval(() => void client.query('SELECT 1').catch(this.onError), askEveryMilliseconds)
    this.attempt = 0
    this.connected = true
  }

  /** Whether the listening connection is up, as far as this side knows. */
  isConnected(): boolean {
    return this.connected
  }

  /** Calls `listener` after each notification; returns a function that stops it. */
  on(channel: Channel, listener: () => void): () => void {
    const set = this.listeners.get(channel) ?? new Set()
    this.listeners.set(channel, set.add(listener))
    return () => set.delete(listener)
  }

  async close(): Promise<void> {
    this.closed = true
    if (this.retry !== null) clearTimeout(this.retry)
    await this.client?.end()
  }

  private call(channel: Channel): void {
    for (const listener of this.listeners.get(channel) ?? []) listener()
  }

  private reconnect(lost: pg.Client): void {
    if (this.closed || this.client !== lost) return
    this.retry = setTimeout(
      () => {
        this.start().then(
          () => {
            for (const channel of channels) this.call(channel)
          },
          (error) => {
            this.onError(toError(error))
            if (this.client !== null) this.reconnect(this.client)
          },
        )
      },
      backoff(this.attempt++, { first: 100, most: 5_000 }),
    )
  }
}
