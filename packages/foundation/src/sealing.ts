import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'

/** Algorithm tag, so that a later change can be told from this one. */
const version = 1
const nonceBytes = 12
const tagBytes = 16
const ephemeralBytes = 32
// DER prefix of an X25519 SubjectPublicKeyInfo; the 32 raw bytes follow.
const publicKeyPrefix = Buffer.from('302a300506032b656e032100', 'hex')

export interface SealingKeyPair {
  /** Raw X25519 public key, base64. */
  publicKey: string
  /** PKCS#8 PEM. */
  privateKey: string
}

export function generateSealingKeyPair(): SealingKeyPair {
  const pair = generateKeyPairSync('x25519')
  const der = pair.publicKey.export({ type: 'spki', format: 'der' })
  return {
    publicKey: der.subarray(publicKeyPrefix.length).toString('base64'),
    privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/**
 * Encrypts for the holder of one X25519 key: ephemeral Diffie-Hellman, HKDF-SHA-256, AES-256-GCM.
 * `context` is bound in: the text opens only with the same context (for example the environment's id).
 * Returns base64 of version, ephemeral key, nonce, tag, text.
 */
export function seal(plain: string, publicKey: string, context: string): string {
  const ephemeral = generateKeyPairSync('x25519')
  const ephemeralRaw = ephemeral.publicKey
    .export({ type: 'spki', format: 'der' })
    .subarray(publicKeyPrefix.length)
  const key = sharedKey(
    ephemeral.privateKey,
    rawPublicKey(Buffer.from(publicKey, 'base64')),
    ephemeralRaw,
    context,
  )
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  cipher.setAAD(Buffer.from(context))
  const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
  return Buffer.concat([Buffer.from([version]), ephemeralRaw, nonce, cipher.getAuthTag(), text]).toString(
    'base64',
  )
}

/** Opens what `seal` made for this key and context; throws when either differs or a byte changed. */
export function unseal(sealed: string, privateKey: string, context: string): string {
  const bytes = Buffer.from(sealed, 'base64')
  if (bytes[0] !== version || bytes.length < 1 + ephemeralBytes + nonceBytes + tagBytes) {
    throw new Error('not a sealed text of a known version')
  }
  const ephemeralRaw = bytes.subarray(1, 1 + ephemeralBytes)
  const nonceStart = 1 + ephemeralBytes
  const tagStart = nonceStart + nonceBytes
  const key = sharedKey(createPrivateKey(privateKey), rawPublicKey(ephemeralRaw), ephemeralRaw, context)
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(nonceStart, tagStart), {
    authTagLength: tagBytes,
  })
  decipher.setAAD(Buffer.from(context))
  decipher.setAuthTag(bytes.subarray(tagStart, tagStart + tagBytes))
  return Buffer.concat([decipher.update(bytes.subarray(tagStart + tagBytes)), decipher.final()]).toString(
    'utf8',
  )
}

function rawPublicKey(raw: Buffer): KeyObject {
  return createPublicKey({ key: Buffer.concat([publicKeyPrefix, raw]), format: 'der', type: 'spki' })
}

function sharedKey(privateKey: KeyObject, publicKey: KeyObject, salt: Buffer, context: string): Buffer {
  const secret = diffieHellman({ privateKey, publicKey })
  return Buffer.from(hkdfSync('sha256', secret, salt, `hearth sealing ${context}`, 32))
}
