import { request } from 'node:http'
import { join } from 'node:path'

/** Ends the proxy of an agent, which outlives it. */
export function endCaddy(stateFolder: string): Promise<void> {
  const socketPath = join(stateFolder, 'ingress/admin.sock')
  return new Promise((resolve) => {
    const asked = request(
      { socketPath, method: 'POST', path: '/stop', headers: { host: 'hearth' } },
      (answer) => {
        answer.resume()
        answer.on('end', resolve)
      },
    )
    asked.on('error', () => resolve())
    asked.end()
  })
}
