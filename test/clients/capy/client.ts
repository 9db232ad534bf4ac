import { eventually } from '@hearth/testing'

export interface CapyAnswer {
  status: number
  // The tests, not types, check what a client of another system reads.
  // biome-ignore lint/suspicious/noExplicitAny: as above
  body: any
}

/** Makes requests as Capy's clients do: a Bearer token, and with POST often neither a body nor a Content-Type. */
export class CapyClient {
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  async call(method: string, path: string, body?: unknown): Promise<CapyAnswer> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? null : JSON.parse(text) }
  }

  /** Polls an instance as Capy's documents advise, only faster, until its boot has ended. */
  async untilBooted(project: string, instance: string, milliseconds: number): Promise<CapyAnswer['body']> {
    return eventually(
      async () => {
        const { body } = await this.call('GET', `/projects/${project}/warm-pool/instances/${instance}`)
        return body.status === 'ready' || body.status === 'failed' ? body : null
      },
      { timeoutMilliseconds: milliseconds, intervalMilliseconds: 100 },
    )
  }
}
