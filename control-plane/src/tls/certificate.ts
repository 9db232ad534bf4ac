import { createPrivateKey, KeyObject, randomBytes, webcrypto } from 'node:crypto'
import { isAddress } from '../network.ts'

/** A certificate and its key, as PEM. */
export interface Credentials {
  certificate: string
  privateKey: string
  endsAt: Date
}

const day = 24 * 3_600_000
const lives = { authority: 20 * 365 * day, server: 90 * day }
/** The clocks of clients may be behind by this much. */
const clockSkew = 3_600_000
const signing = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** Who signs certificates: whoever trusts it trusts each of them. */
export async function makeAuthority(now: Date): Promise<Credentials> {
  const x509 = await library()
  const keys = await newKeys()
  const { privateKey, publicKey } = keys
  const span = spanFrom(now, lives.authority)
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=Hearth ${serialNumber().slice(0, 8)}`,
    ...span,
    keys,
    signingAlgorithm: signing,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  })
  return { certificate: certificate.toString('pem'), privateKey: pemOf(privateKey), endsAt: span.notAfter }
}

/** A server's certificate for these names and addresses. */
export async function issueCertificate(
  authority: Credentials,
  hosts: readonly string[],
  now: Date,
): Promise<Credentials> {
  const x509 = await library()
  const issuer = new x509.X509Certificate(authority.certificate)
  const { privateKey, publicKey } = await newKeys()
  const span = spanFrom(now, lives.server)
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: 'CN=Hearth control plane',
    issuer: issuer.subject,
    ...span,
    publicKey,
    signingKey: await keyOf(authority.privateKey),
    signingAlgorithm: signing,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        hosts.map((value) => ({ type: isAddress(value) ? ('ip' as const) : ('dns' as const), value })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  })
  return { certificate: certificate.toString('pem'), privateKey: pemOf(privateKey), endsAt: span.notAfter }
}

/** When a certificate is to be replaced: with a third of its life left. */
export const renewalOf = ({ endsAt }: Credentials): Date => new Date(endsAt.getTime() - lives.server / 3)

/** Loaded only where HTTPS is served, since it takes a while. It is built on decorators. */
async function library() {
  await import('reflect-metadata')
  return import('@peculiar/x509')
}

const newKeys = () => webcrypto.subtle.generateKey(signing, true, ['sign', 'verify'])

const pemOf = (key: webcrypto.CryptoKey) =>
  KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString()

function keyOf(pem: string): Promise<webcrypto.CryptoKey> {
  const encoded = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })
  return webcrypto.subtle.importKey('pkcs8', encoded, signing, false, ['sign'])
}

const spanFrom = (now: Date, life: number) => ({
  notBefore: new Date(now.getTime() - clockSkew),
  notAfter: new Date(now.getTime() + life),
})

/** Positive, and never twice the same. */
const serialNumber = () => `01${randomBytes(15).toString('hex')}`
