import { randomBytes } from 'node:crypto'
import { startOfText } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { CertificateAuthority } from './certificate-authority.ts'
import { Reader, text, uint32, uint64 } from './openssh-encoding.ts'

const userCertificate = 1
/** What OpenSSH itself grants by default, in the byte order it asks for. */
const extensions = [
  'permit-X11-forwarding',
  'permit-agent-forwarding',
  'permit-port-forwarding',
  'permit-pty',
  'permit-user-rc',
]

export interface UserCertificateRequest {
  /** An OpenSSH public key line. */
  publicKey: string
  principals: readonly string[]
  /** Stands in the guest's log at every login. */
  keyId: string
  validAfter: Date
  validBefore: Date
}

/**
 * Signs an OpenSSH user certificate (OpenSSH PROTOCOL.certkeys, the `-cert-v01@openssh.com` types).
 * Returns the line for a `-cert.pub` file. Throws `invalid` when the public key cannot be read.
 */
export function signUserCertificate(
  authority: CertificateAuthority,
  request: UserCertificateRequest,
): string {
  const { type, fields } = readPublicKey(request.publicKey)
  const certificateType = certificateTypeOf(type)
  const body = Buffer.concat([
    text(certificateType),
    text(randomBytes(32)),
    fields,
    uint64(randomBytes(8).readBigUInt64BE()),
    uint32(userCertificate),
    text(request.keyId),
    text(Buffer.concat(request.principals.map(text))),
    uint64(seconds(request.validAfter)),
    uint64(seconds(request.validBefore)),
    text(''),
    text(Buffer.concat(extensions.map((name) => Buffer.concat([text(name), text('')])))),
    text(''),
    text(authority.publicBlob),
  ])
  const certificate = Buffer.concat([body, text(authority.sign(body))])
  return `${certificateType} ${certificate.toString('base64')} ${request.keyId}`
}

function certificateTypeOf(type: string): string {
  const at = type.indexOf('@')
  return at === -1 ? `${type}-cert-v01@openssh.com` : `${type.slice(0, at)}-cert-v01${type.slice(at)}`
}

/** The fields of a public key after its type: a certificate carries them unchanged. */
function readPublicKey(line: string): { type: string; fields: Buffer } {
  const [type = '', base64 = ''] = line.trim().split(/\s+/)
  try {
    const reader = new Reader(Buffer.from(base64, 'base64'))
    if (reader.next().toString('latin1') !== type) throw new Error('the type within differs')
    const fields = reader.rest()
    const check = new Reader(fields)
    for (let count = fieldCounts[type] ?? Number.NaN; count > 0; count--) check.next()
    if (fieldCounts[type] === undefined || check.rest().length > 0)
      throw new Error('another number of fields')
    return { type, fields }
  } catch (error) {
    throw new HearthError('invalid', 'the public key cannot be read', {
      details: [
        { field: 'publicKey', given: startOfText(line, 60), expected: 'the line of an OpenSSH .pub file' },
      ],
      cause: error,
    })
  }
}

const fieldCounts: Readonly<Record<string, number>> = {
  'ssh-ed25519': 1,
  'ssh-rsa': 2,
  'ecdsa-sha2-nistp256': 2,
  'ecdsa-sha2-nistp384': 2,
  'ecdsa-sha2-nistp521': 2,
  'sk-ssh-ed25519@openssh.com': 2,
  'sk-ecdsa-sha2-nistp256@openssh.com': 3,
}

function seconds(date: Date): bigint {
  return BigInt(Math.floor(date.getTime() / 1000))
}
