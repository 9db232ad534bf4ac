import { type Address, type Connection, environmentPrincipal } from '@hearth/contract'
import type { CertificateAuthority } from '../../../access/certificate-authority.ts'
import { signUserCertificate } from '../../../access/user-certificate.ts'

/** How long a user certificate is valid. */
export const certificateSeconds = 8 * 3600
/** A certificate is valid from a little before it is signed, since clocks differ. */
const earlierSeconds = 120

/** How to reach a guest: its address, its pinned host key, and a certificate for the caller's key. Touches no guest. */
export function connectionTo(
  authority: CertificateAuthority,
  environment: { id: string; address: Address },
  caller: { publicKey: string; keyId: string },
  now: Date,
  seconds = certificateSeconds,
): Connection {
  const expiresAt = new Date(now.getTime() + seconds * 1000)
  return {
    address: environment.address,
    certificate: signUserCertificate(authority, {
      publicKey: caller.publicKey,
      principals: [environmentPrincipal(environment.id)],
      keyId: caller.keyId,
      validAfter: new Date(now.getTime() - earlierSeconds * 1000),
      validBefore: expiresAt,
    }),
    expiresAt: expiresAt.toISOString(),
  }
}
