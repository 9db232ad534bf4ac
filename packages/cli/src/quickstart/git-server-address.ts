import { networkInterfaces } from 'node:os'
import { HearthError } from '@hearth/foundation'
import { freePort } from '../process/port.ts'

export const loopback = '127.0.0.1'
/** Address of the guests' router: ports of this host that are opened to guests are reachable there. */
const router = '10.0.2.2'
/** Default port of the git protocol. */
const usualPort = 9_418

export interface GitServerAddress {
  host: string
  port: number
  seenFromGuests: string
  /** The port in the form of the agent's HEARTH_GUEST_ALLOW; null where it need not be opened. */
  opened: string | null
}

/**
 * The address on which a git server on this host listens for the guests. An agent that is root opens one port of the
 * loopback to them. Any other agent cannot do that, and cannot keep its guests from the host's own address either, so
 * that address is used.
 */
export async function gitServerAddress(options: {
  isRoot: boolean
  variables: Readonly<Record<string, string | undefined>>
}): Promise<GitServerAddress> {
  const { isRoot, variables } = options
  const network = variables.HEARTH_GUEST_NETWORK ?? 'isolated'
  const isOpened = network === 'isolated' && isRoot
  if (network === 'user' || isOpened) {
    const port = await freePort(usualPort)
    const opened = isOpened ? `quickstart=${loopback}:${port}` : null
    return { host: loopback, port, seenFromGuests: router, opened }
  }
  const host = ownAddress()
  if (host === null) {
    throw new HearthError(
      'unavailable',
      'this machine has no IPv4 address but its loopback, so its guests cannot clone from it: run the quickstart as root, or with --repo and a URL',
    )
  }
  return { host, port: await freePort(usualPort, host), seenFromGuests: host, opened: null }
}

function ownAddress(): string | null {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? null
}
