import { Resolver } from 'node:dns/promises'
import { connect } from 'node:tls'
import { toError } from '@hearth/foundation'
import type { ListenAddress } from '../settings.ts'
import type { SeenDomain } from './state.ts'

const answerMilliseconds = 5_000
/** A certificate is made, or had from its authority, while the first who asks for it waits. */
const certificateMilliseconds = 60_000
const mostAddresses = 16

export interface DomainLookOptions {
  /** Where the proxy takes HTTPS. */
  https: ListenAddress
  /** The server that is asked for addresses; null for those of the host. */
  resolver: ListenAddress | null
}

/** Whether a custom domain leads to where the platform's name of its route does, and the proxy has a certificate for it. */
export async function lookAtDomain(
  domain: string,
  platformHost: string,
  { https, resolver }: DomainLookOptions,
): Promise<SeenDomain> {
  const asked = new Resolver({ timeout: answerMilliseconds, tries: 2 })
  if (resolver !== null) asked.setServers([spoken(resolver)])
  const [own, platform] = await Promise.all([
    addressesOf(asked, domain),
    isLoopbackName(platformHost) ? ['127.0.0.1', '::1'] : addressesOf(asked, platformHost),
  ])
  if (platform.length === 0)
    return {
      kind: 'elsewhere',
      cause: `${platformHost} itself does not resolve: the DNS has to lead the domain of this runner to it`,
    }
  if (own.length === 0)
    return {
      kind: 'elsewhere',
      cause: `${domain} does not resolve: make it a CNAME of ${platformHost}, or give it the address ${platform.join(' or ')}`,
    }
  if (!own.some((address) => platform.includes(address)))
    return {
      kind: 'elsewhere',
      cause: `${domain} leads to ${own.join(', ')}: make it a CNAME of ${platformHost}, which is at ${platform.join(', ')}`,
    }
  const fault = await certificateFault(domain, https)
  return fault === null ? { kind: 'served' } : { kind: 'no-certificate', cause: fault }
}

async function addressesOf(resolver: Resolver, name: string): Promise<string[]> {
  const found = await Promise.all(
    [resolver.resolve4(name), resolver.resolve6(name)].map((answer) => answer.catch(() => [])),
  )
  return found.flat().slice(0, mostAddresses)
}

const isLoopbackName = (name: string) => name.endsWith('.localhost')
const spoken = ({ host, port }: ListenAddress) => `${host.includes(':') ? `[${host}]` : host}:${port}`

/** What keeps the proxy from having a certificate for a name; null where it has one. */
function certificateFault(domain: string, { host, port }: ListenAddress): Promise<string | null> {
  const reached = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host
  return new Promise((resolve) => {
    const socket = connect({
      ...{ host: reached, port, servername: domain },
      // Who signed it is for browsers to judge; here it only has to be there.
      rejectUnauthorized: false,
      timeout: certificateMilliseconds,
    })
    const end = (fault: string | null) => {
      socket.destroy()
      resolve(fault)
    }
    socket.once('secureConnect', () => {
      const names = socket.getPeerCertificate().subjectaltname ?? ''
      const isIts = names.split(', ').includes(`DNS:${domain}`)
      end(isIts ? null : `the proxy has no certificate for ${domain}`)
    })
    socket.once('timeout', () =>
      end(`the authority has given no certificate for ${domain} within ${certificateMilliseconds / 1000} s`),
    )
    socket.once('error', (thrown) =>
      end(`the authority gives no certificate for ${domain}: ${toError(thrown).message.slice(0, 300)}`),
    )
  })
}
