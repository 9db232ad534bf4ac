import type { Address } from '@hearth/contract'

export interface AccessFiles {
  privateKeyFile: string
  certificateFile: string
  knownHostsFile: string
}

/** Host alias of the environment in its ssh configuration. */
export const sshAlias = 'hearth'

/**
 * An ssh configuration for one environment. The host key is pinned under the id, so that a changed port neither
 * breaks the pin nor weakens it; no other key or agent of the user is offered.
 */
export function sshConfiguration(id: string, address: Address, files: AccessFiles): string {
  const lines: readonly (readonly [string, string])[] = [
    ['HostName', address.host],
    ['Port', String(address.port)],
    ['User', address.user],
    ['HostKeyAlias', id],
    ['UserKnownHostsFile', quoted(files.knownHostsFile)],
    ['GlobalKnownHostsFile', 'none'],
    ['StrictHostKeyChecking', 'yes'],
    ['UpdateHostKeys', 'no'],
    ['IdentityFile', quoted(files.privateKeyFile)],
    ['CertificateFile', quoted(files.certificateFile)],
    ['IdentitiesOnly', 'yes'],
    ['IdentityAgent', 'none'],
    ['PreferredAuthentications', 'publickey'],
    ['ServerAliveInterval', '15'],
    ['LogLevel', 'ERROR'],
  ]
  return [`Host ${sshAlias}`, ...lines.map(([name, value]) => `  ${name} ${value}`), ''].join('\n')
}

// Percent signs are expanded by ssh, and a path may hold spaces.
function quoted(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`
}
