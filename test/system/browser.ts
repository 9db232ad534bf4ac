import { request } from 'node:https'
import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'

export interface Seen {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
  /** The cookies that were set, as a browser would send them. */
  cookie: string
}

export interface Visit {
  method?: string
  headers?: Record<string, string>
  body?: string
  /** Another host name than the address has. */
  host?: string
  /** Where every name leads to; by default 127.0.0.1. */
  reached?: string
  /** Aborted where it is left before its end. */
  signal?: AbortSignal
}

/** What a browser sees that trusts an authority, and to which every name is this machine. */
export function visit(
  address: string,
  ca: string,
  { method = 'GET', headers = {}, body, host, reached = '127.0.0.1', signal }: Visit = {},
): Promise<Seen> {
  const url = new URL(address)
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: reached,
        port: Number(url.port) || 443,
        // A number has no name that could be said beforehand.
        servername: isIP(url.hostname) === 0 ? url.hostname : '',
        ca,
        method,
        path: `${url.pathname}${url.search}`,
        headers: { host: host ?? url.host, ...headers },
        agent: false,
        timeout: 20_000,
        ...(signal === undefined ? {} : { signal }),
      },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', reject)
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            body: Buffer.concat(chunks).toString(),
            cookie: (answer.headers['set-cookie'] ?? []).map((one) => one.split(';')[0]).join('; '),
          }),
        )
      },
    )
    sent.on('timeout', () => sent.destroy(new Error(`${address} does not answer`)))
    sent.on('error', reject)
    sent.end(body)
  })
}

/** An upgraded connection on which what is sent comes back. */
export interface Echoed {
  echo(text: string): Promise<string>
  /** Resolves when it is ended from elsewhere. */
  closed: Promise<void>
  end(): void
}

export async function upgrade(
  address: string,
  ca: string,
  headers: Record<string, string> = {},
): Promise<Echoed> {
  const url = new URL(address)
  const socket: TLSSocket = connect({
    ...{ host: '127.0.0.1', port: Number(url.port), servername: url.hostname, ca },
    ALPNProtocols: ['http/1.1'],
  })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', () => undefined)
  const next = () =>
    new Promise<string>((resolve, reject) => {
      socket.once('data', (chunk: Buffer) => resolve(chunk.toString()))
      socket.once('close', () => reject(new Error('the connection was closed')))
    })
  const lines = {
    Host: url.host,
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'x3JJHMbDL1EzLkh9GBhXDw==',
    ...headers,
  }
  const answer = next()
  socket.write(
    `GET ${url.pathname} HTTP/1.1\r\n${Object.entries(lines)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\n`,
  )
  const head = await answer
  if (!head.startsWith('HTTP/1.1 101')) throw new Error(`not upgraded: ${head.slice(0, 200)}`)
  return {
    closed,
    end: () => socket.destroy(),
    async echo(text) {
      const came = next()
      socket.write(text)
      return came
    },
  }
}
