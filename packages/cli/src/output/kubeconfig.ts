import type { SecureAccess } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { stringify } from 'yaml'

/** Who reads it connects to the host that this command uses, with the port and the authority for HTTPS. */
export function kubeconfig(
  { url, token }: { url: string; token: string },
  { port, hosts, certificateAuthority }: SecureAccess,
  name: string,
): string {
  const address = new URL(url)
  const isSecure = address.protocol === 'https:'
  if (port === null && !isSecure)
    throw new HearthError(
      'conflict',
      `${url} serves no HTTPS, without which no token is sent: set HEARTH_TLS_LISTEN for it, or give an https:// address of a proxy in front of it`,
    )
  const cluster = isSecure
    ? { server: address.origin }
    : {
        server: `https://${address.hostname}:${port}`,
        // The certificate may not know the name under which its server is reached, but is its server’s all the same.
        ...(hosts.includes(address.hostname.replace(/^\[|\]$/g, ''))
          ? {}
          : { 'tls-server-name': 'localhost' }),
        'certificate-authority-data': Buffer.from(certificateAuthority ?? '').toString('base64'),
      }
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster }],
      users: [{ name, user: { token } }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      'current-context': name,
    },
    { lineWidth: 0 },
  )
}
