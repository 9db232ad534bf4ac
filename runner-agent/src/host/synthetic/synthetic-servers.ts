import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SyntheticPort } from './settings.ts'

/** Most servers at once: each is a real one, on a port of the host's loopback. */
const most = 512

/** What listens in synthetic guests: a small server of this process for each port that is asked for, or one that the settings name. */
export class SyntheticServers {
  private readonly open = new Map<string, Promise<Server>>()

  constructor(private readonly named: readonly SyntheticPort[]) {}

  async reach(environmentId: string, port: number): Promise<{ host: string; port: number } | null> {
    const given = this.named.find((one) => one.port === port)
    if (given !== undefined) return given.at
    const key = `${environmentId} ${port}`
    if (!this.open.has(key) && this.open.size >= most) return null
    const opening = this.open.get(key) ?? listen(environmentId, port)
    this.open.set(key, opening)
    const { port: there } = (await opening).address() as AddressInfo
    return { host: '127.0.0.1', port: there }
  }

  close(): void {
    for (const opening of this.open.values())
      void opening.then((server) => {
        server.close()
        server.closeAllConnections()
      })
    this.open.clear()
  }
}

async function listen(environmentId: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(`${JSON.stringify({ environmentId, port, method: request.method, url: request.url })}\n`)
  })
  server.listen(0, '127.0.0.1')
  // It keeps no process alive.
  server.unref()
  await once(server, 'listening')
  return server
}
