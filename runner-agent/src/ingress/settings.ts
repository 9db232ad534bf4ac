import { join } from 'node:path'

export interface ListenAddress {
  host: string
  port: number
}

/** Who signs the certificates. */
export type CertificateAuthority =
  | { kind: 'internal' }
  | {
      kind: 'acme'
      email: string | null
      directory: string | null
      /** Certificates that the directory's own is signed by, as PEM, where it is no public authority. */
      rootPath: string | null
    }

export interface IngressSettings {
  /** Routes are served as host names directly below this domain. */
  base: string
  https: ListenAddress
  /** Where requests without TLS are sent on to HTTPS; null for nowhere. */
  http: ListenAddress | null
  authority: CertificateAuthority
  /** The server that is asked where custom domains lead; null for those of the host. */
  resolver: ListenAddress | null
  /**
   * A port of the host's loopback on which the proxy asks whether a host name is one of its own, before it has a certificate
   * for it; null for any that is free.
   */
  askPort: number | null
  /** Folder for the proxy alone. */
  folder: string
  /** Caddy's program. */
  program: string
  /** Whether the proxy ends with the agent, as where nothing is to be left behind. */
  stopsWithAgent: boolean
}

export const adminSocket = ({ folder }: Pick<IngressSettings, 'folder'>) => join(folder, 'admin.sock')
export const gateSocket = ({ folder }: Pick<IngressSettings, 'folder'>) => join(folder, 'gate.sock')
/** The certificate of Caddy's own authority, which browsers are to trust. */
export const rootCertificate = ({ folder }: Pick<IngressSettings, 'folder'>) =>
  join(folder, 'data/pki/authorities/local/root.crt')

/** The longest path that a socket may have on Linux, in bytes. */
export const mostSocketPath = 107
