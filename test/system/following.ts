import type { HearthClient } from '@hearth/client'
import type { Environment, WarmPool } from '@hearth/contract'

const patienceMilliseconds = 60_000

/** Reads a resource once the event stream is open, and again after every event, until it is as wanted. */
export async function until<Value>(
  client: HearthClient,
  what: string,
  read: () => Promise<Value>,
  wanted: (value: Value) => boolean,
  milliseconds = patienceMilliseconds,
): Promise<Value> {
  const ended = new AbortController()
  const timer = setTimeout(() => ended.abort(), milliseconds)
  let last: Value | undefined
  let opened: (() => void) | undefined
  const open = new Promise<void>((resolve) => {
    opened = resolve
  })
  try {
    const events = client.events
      .follow({ signal: ended.signal, onOpen: () => opened?.() })
      [Symbol.asyncIterator]()
    let next = events.next()
    await Promise.race([open, next])
    for (;;) {
      last = await read()
      if (wanted(last)) return last
      if ((await next).done === true) break
      next = events.next()
    }
  } finally {
    clearTimeout(timer)
    ended.abort()
  }
  throw new Error(
    `${what}: not within ${milliseconds} ms; the last was ${JSON.stringify(last)?.slice(0, 2_000)}`,
  )
}

export const untilPool = (client: HearthClient, id: string, wanted: (pool: WarmPool) => boolean) =>
  until(client, `pool ${id}`, () => client.warmPools.get(id), wanted)

export const untilEnvironment = (
  client: HearthClient,
  id: string,
  wanted: (environment: Environment) => boolean,
) => until(client, `environment ${id}`, () => client.environments.get(id), wanted)
