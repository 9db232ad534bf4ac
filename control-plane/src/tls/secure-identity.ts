import { type Clock, toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { Database } from '../database/connection.ts'
import type { Encryption } from '../database/encryption.ts'
import { type Credentials, issueCertificate, renewalOf } from './certificate.ts'
import { storedAuthority } from './stored-authority.ts'

interface Given {
  database: Database
  encryption: Encryption
  clock: Clock
  log: Logger
  /** Names and addresses beside those of this host itself. */
  hosts: readonly string[]
}

const own = ['localhost', '127.0.0.1', '::1']
const lookMilliseconds = 3_600_000

/** The certificate with which one control plane serves HTTPS; it is replaced in time. */
export class SecureIdentity implements Disposable {
  readonly hosts: readonly string[]
  private renewed: ((credentials: Credentials) => void) | null = null
  private readonly looking: NodeJS.Timeout

  static async prepare(given: Given): Promise<SecureIdentity> {
    const hosts = [...new Set([...own, ...given.hosts])]
    return new SecureIdentity(given, hosts, await issue(given, hosts))
  }

  private constructor(
    private readonly given: Given,
    hosts: readonly string[],
    private issued: Issued,
  ) {
    this.hosts = hosts
    this.looking = setInterval(() => void this.look(), lookMilliseconds).unref()
  }

  get credentials(): Credentials {
    return this.issued.credentials
  }

  /** As PEM. */
  get authority(): string {
    return this.issued.authority
  }

  /** Calls `use` with each certificate that takes the place of the present one. */
  onRenewal(use: (credentials: Credentials) => void): void {
    this.renewed = use
  }

  /** Replaces a certificate that ends soon. */
  async look(): Promise<void> {
    const { clock, log } = this.given
    if (clock.now() < renewalOf(this.credentials)) return
    try {
      this.issued = await issue(this.given, this.hosts)
      this.renewed?.(this.credentials)
      log.info({ endsAt: this.credentials.endsAt }, 'has a new certificate for HTTPS')
    } catch (error) {
      log.warn({ err: toError(error) }, 'could not renew the certificate for HTTPS; trying again in an hour')
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.looking)
  }
}

interface Issued {
  authority: string
  credentials: Credentials
}

async function issue({ database, encryption, clock }: Given, hosts: readonly string[]): Promise<Issued> {
  const now = clock.now()
  const authority = await storedAuthority(database, encryption, now)
  return { authority: authority.certificate, credentials: await issueCertificate(authority, hosts, now) }
}
