import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { Layers } from '../../../host/layers.ts'
import type { Grant, Grants } from './grants.ts'
import { mostPieceBytes, preSharedKeyTls } from './pre-shared-key.ts'
import { withoutMemory } from './without-memory.ts'

export interface LayerAddress {
  host: string
  port: number
}

export interface LayerServerOptions {
  layers: Pick<Layers, 'look' | 'read'>
  grants: Grants
  log: Logger
}

const mostConnections = 64
const idleMilliseconds = 60_000

/**
 * Until the signal aborts: serves layers to other runners' agents: `GET /layer` is the manifest, `GET /disk` with a Range is a
 * piece of the disk. Which layer it is follows from the grant whose key the connection was made with.
 */
export async function serveLayers(
  address: LayerAddress,
  { layers, grants, log }: LayerServerOptions,
  signal: AbortSignal,
): Promise<void> {
  const grantOf = new WeakMap<TLSSocket, string>()
  const server = createServer({
    ...preSharedKeyTls,
    pskCallback: (socket, identity) => {
      const grant = grants.find(identity)
      if (grant === null) return null
      grantOf.set(socket, identity)
      return grant.key
    },
    handshakeTimeout: 10_000,
    requestTimeout: 30_000,
    maxHeaderSize: 8 * 1024,
  })
  server.maxConnections = mostConnections
  server.setTimeout(idleMilliseconds)
  server.on('tlsClientError', (error) => log.debug({ error }, 'a connection for a layer was refused'))
  server.on('request', (request, response) => {
    // The grant is looked up for each request: it ends while its connection goes on.
    const grant = grants.find(grantOf.get(request.socket as TLSSocket) ?? '')
    if (grant === null) return refuse(response, 403, 'the grant has ended')
    answer(layers, grant, request, response).catch((thrown: unknown) => {
      log.warn(
        { layerId: grant.layerId, error: toError(thrown) },
        'a layer cannot be read for another runner',
      )
      refuse(response, 500, 'the layer cannot be read')
    })
  })
  server.listen(address.port, address.host)
  await once(server, 'listening')
  log.info(address, 'layers are served to other runners')
  if (!signal.aborted) await once(signal, 'abort')
  server.closeAllConnections()
  server.close()
}

async function answer(
  layers: LayerServerOptions['layers'],
  { layerId }: Grant,
  { method, url, headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (method !== 'GET') return refuse(response, 405, 'only GET is served')
  const { phase, facts, origin, machine } = await layers.look(layerId)
  if (phase !== 'present' || facts === null || origin === null || machine === null)
    return refuse(response, 404, 'the layer is not here')
  if (url === '/layer') {
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify(withoutMemory({ layerId, facts, origin, machine })))
    return
  }
  if (url !== '/disk') return refuse(response, 404, 'there is no such file')
  const { bytes } = facts.disk
  const [, from = '', to = ''] = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(headers.range ?? '') ?? []
  const offset = Number(from)
  const length = Number(to) - offset + 1
  if (from === '' || length < 1 || length > mostPieceBytes || offset + length > bytes)
    return refuse(response, 416, `the range must be within ${bytes} bytes and at most ${mostPieceBytes} long`)
  const piece = await layers.read(layerId, 'disk', offset, length)
  response.statusCode = 206
  response.setHeader('Content-Range', `bytes ${from}-${to}/${bytes}`)
  response.setHeader('Content-Length', piece.length)
  response.end(piece)
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.statusCode = status
  response.end(reason)
}
