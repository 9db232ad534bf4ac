import { createServer } from 'node:net'

/** Whether a port, by default on the loopback, is free now. */
export function portIsFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return listenOnce(port, host).then(
    () => true,
    () => false,
  )
}

/** The preferred port if it is free, otherwise another free one. */
export async function freePort(wished: number, host = '127.0.0.1'): Promise<number> {
  return (await portIsFree(wished, host)) ? wished : await listenOnce(0, host)
}

function listenOnce(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : port))
    })
  })
}
