import { createServer, type Server } from 'node:http'
import type { Registry } from 'prom-client'

/** Serves `/healthz/live`, `/healthz/ready` and `/metrics`; resolves once the server listens. */
export async function serveHealthAndMetrics(
  address: { host: string; port: number },
  registry: Registry,
  isReady: () => boolean,
): Promise<Server> {
  const server = createServer((request, response) => {
    const answer = (status: number, type: string, body: string) => {
      response.writeHead(status, { 'content-type': type }).end(body)
    }
    switch (request.url) {
      case '/healthz/live':
        return answer(200, 'text/plain', 'ok\n')
      case '/healthz/ready':
        return isReady()
          ? answer(200, 'text/plain', 'ok\n')
          : answer(503, 'text/plain', 'not connected to NATS\n')
      case '/metrics':
        registry.metrics().then(
          (text) => answer(200, registry.contentType, text),
          (thrown: unknown) => answer(500, 'text/plain', `${String(thrown)}\n`),
        )
        return
      default:
        return answer(404, 'text/plain', 'not found\n')
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(address.port, address.host, resolve)
  })
  return server
}
