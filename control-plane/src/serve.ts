import { type Listener, listen } from './api/listen.ts'
import type { ControlPlane } from './compose.ts'
import type { Config } from './config.ts'

export interface Served {
  plain: Listener
  /** null where HTTPS is not served. */
  secure: Listener | null
  /** Accepts no more connections; resolves when the open ones have ended or the grace period is over. */
  close(): Promise<void>
}

/** Listens where the settings say, over HTTP and perhaps over HTTPS. */
export async function serveControlPlane(
  {
    application,
    services,
    secureIdentity,
  }: Pick<ControlPlane, 'application' | 'services' | 'secureIdentity'>,
  config: Pick<Config, 'listen' | 'secure'>,
): Promise<Served> {
  const plain = await listen(application, config.listen)
  if (secureIdentity === null || config.secure === null)
    return { plain, secure: null, close: () => plain.close() }
  const { credentials, hosts, authority } = secureIdentity
  const secure = await listen(application, config.secure.listen, undefined, credentials)
  secureIdentity.onRenewal((renewed) => secure.replaceCertificate(renewed))
  services.secureAccess = { port: secure.address.port, hosts, authority }
  return { plain, secure, close: async () => void (await Promise.all([plain.close(), secure.close()])) }
}
