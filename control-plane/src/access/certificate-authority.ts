import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { text } from './openssh-encoding.ts'

const keyType = 'ssh-ed25519'

/** An organization's key for signing user certificates: Ed25519. */
export class CertificateAuthority {
  private constructor(
    private readonly privateKey: KeyObject,
    /** The public key as OpenSSH sends it on the wire. */
    readonly publicBlob: Buffer,
  ) {}

  static generate(): CertificateAuthority {
    return CertificateAuthority.from(generateKeyPairSync('ed25519').privateKey)
  }

  /** `pem`: PKCS#8, as `privateKeyPem` gave it. */
  static load(pem: string): CertificateAuthority {
    return CertificateAuthority.from(createPrivateKey(pem))
  }

  private static from(privateKey: KeyObject): CertificateAuthority {
    // The last 32 bytes of an Ed25519 SubjectPublicKeyInfo are the raw key.
    const raw = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).subarray(-32)
    return new CertificateAuthority(privateKey, Buffer.concat([text(keyType), text(raw)]))
  }

  privateKeyPem(): string {
    return this.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  }

  /** The line for `TrustedUserCAKeys`. */
  publicKeyLine(): string {
    return `${keyType} ${this.publicBlob.toString('base64')} hearth-user-certificate-authority`
  }

  /** An SSH signature blob over `message`. */
  sign(message: Buffer): Buffer {
    return Buffer.concat([text(keyType), text(sign(null, message, this.privateKey))])
  }
}
