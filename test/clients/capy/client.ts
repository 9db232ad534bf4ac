import { eventually } from '@hearth/testing'

export interface CapyAnswer {
  status: number
  // What a client of another system reads is checked by the tests, not by types.
  // biome-ignore lint/suspicious/noExplicitAny: as above
  body: any
}

/** Calls as Capy's clients make them: a Bearer token, and with POST often neither a body nor a Content-Type. */
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

  /** Polls an instance as the documents advise, only faster, until its boot is over. */
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
