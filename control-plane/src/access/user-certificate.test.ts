import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { CertificateAuthority } from './certificate-authority.ts'
import { signUserCertificate } from './user-certificate.ts'

const folder = mkdtempSync(join(tmpdir(), 'hearth-certificate-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const validAfter = new Date('2026-01-01T00:00:00Z')
const validBefore = new Date('2036-01-01T00:00:00Z')

function publicKeyOf(type: string): string {
  const file = join(folder, type)
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', file])
  return readFileSync(`${file}.pub`, 'utf8').trim()
}

test.each(['ed25519', 'rsa', 'ecdsa'])(
  'ssh-keygen reads a certificate for an %s key as it was signed',
  (type) => {
    const authority = CertificateAuthority.load(CertificateAuthority.generate().privateKeyPem())
    const certificate = signUserCertificate(authority, {
      publicKey: publicKeyOf(type),
      principals: ['environment:1', 'environment:2'],
      keyId: 'claim 7',
      validAfter,
      validBefore,
    })
    const file = join(folder, `${type}-cert.pub`)
    writeFileSync(file, certificate)
    const shown = execFileSync('ssh-keygen', ['-L', '-f', file], {
      encoding: 'utf8',
      env: { ...process.env, TZ: 'UTC' },
    })
    writeFileSync(join(folder, 'authority.pub'), authority.publicKeyLine())
    const authorityPrint = execFileSync('ssh-keygen', ['-l', '-f', join(folder, 'authority.pub')], {
      encoding: 'utf8',
    })
    expect(shown).toContain(authorityPrint.split(' ')[1])
    expect(shown).toContain('user certificate')
    expect(shown).toContain('Key ID: "claim 7"')
    expect(shown).toContain('Valid: from 2026-01-01T00:00:00 to 2036-01-01T00:00:00')
    expect(shown).toMatch(/Principals:\s+environment:1\s+environment:2\s+Critical Options: \(none\)/)
    expect(shown).toContain('permit-pty')
  },
)

test('a key that cannot be read is refused, and the error names the field', () => {
  const broken = ['ssh-ed25519 AAAA', 'ssh-ed25519 AAAAB3NzaC1yc2E=', 'ssh-dss AAAAB3NzaC1kc3M=']
  for (const publicKey of broken) {
    const request = { publicKey, principals: ['a'], keyId: 'b', validAfter, validBefore }
    expect(() => signUserCertificate(CertificateAuthority.generate(), request)).toThrow(
      'public key cannot be read',
    )
  }
})
