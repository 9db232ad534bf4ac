import { setTimeout as delay } from 'node:timers/promises'
import { newId } from '@hearth/foundation'

const patienceMilliseconds = 60_000
const answerMilliseconds = 5_000

export interface Answer {
  status: number
  text: string
}

/** A client that retries with the same idempotency key until it is answered, as every client of Hearth should. */
export class Api {
  /** How many answers were server errors. */
  faults = 0

  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  /** A body of bytes is a ZIP. Throws when there is no answer for a minute, though the faults of a run last seconds. */
  async ask(method: string, path: string, body?: unknown, key = newId()): Promise<Answer> {
    const end = performance.now() + patienceMilliseconds
    for (let attempt = 0; ; attempt += 1) {
      const answer = await this.once(method, path, body, key)
      if (typeof answer !== 'string' && answer.status < 500) return answer
      if (typeof answer !== 'string') this.faults += 1
      const last = typeof answer === 'string' ? answer : `${answer.status} ${answer.text}`
      if (performance.now() > end) throw new Error(`${method} ${path} is not answered: ${last}`)
      await delay(Math.min(400, 20 * 2 ** attempt))
    }
  }

  /** The parsed body of an answer that must be a success. */
  async want<Value>(method: string, path: string, body?: unknown): Promise<Value> {
    const { status, text } = await this.ask(method, path, body)
    if (status >= 300) throw new Error(`${method} ${path} was answered with ${status} ${text}`)
    return JSON.parse(text) as Value
  }

  private async once(method: string, path: string, body: unknown, key: string): Promise<Answer | string> {
    const isArchive = body instanceof Uint8Array
    try {
      const response = await fetch(this.url + path, {
        method,
        headers: {
          authorization: `Bearer ${this.token}`,
          ...(body === undefined
            ? {}
            : { 'content-type': isArchive ? 'application/zip' : 'application/json' }),
          ...(method === 'POST' ? { 'idempotency-key': key } : {}),
        },
        ...(body === undefined ? {} : { body: isArchive ? body : JSON.stringify(body) }),
        signal: AbortSignal.timeout(answerMilliseconds),
      })
      return { status: response.status, text: await response.text() }
    } catch (thrown) {
      return String(thrown)
    }
  }
}
