import { X509Certificate } from 'node:crypto'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:tls'
import { expect, test } from 'vitest'
import { issueCertificate, makeAuthority, renewalOf } from './certificate.ts'

// Real TLS compares with the real time.
const now = new Date(Math.floor(performance.timeOrigin))
const day = 24 * 3_600_000

/** Resolves with null when a client that trusts the authority takes the server for the host, else with its reason. */
async function refusal(
  served: { certificate: string; privateKey: string },
  trusted: string,
  host: string,
): Promise<string | null> {
  const server = createServer({ cert: served.certificate, key: served.privateKey })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  try {
    return await new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, servername: host, ca: trusted })
      socket.once('secureConnect', () => resolve(null))
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      socket.once('close', () => socket.destroy())
    })
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

test('who trusts the authority takes the server for each of its names, and for no other', async () => {
  const [authority, other] = [await makeAuthority(now), await makeAuthority(now)]
  const hosts = ['localhost', 'hearth.example.org', '127.0.0.1', '::1']
  const served = await issueCertificate(authority, hosts, now)
  expect(await refusal(served, authority.certificate, 'localhost')).toBeNull()
  expect(await refusal(served, authority.certificate, 'hearth.example.org')).toBeNull()
  expect(await refusal(served, authority.certificate, 'other.example.org')).toBe(
    'ERR_TLS_CERT_ALTNAME_INVALID',
  )
  expect(await refusal(served, other.certificate, 'localhost')).not.toBeNull()
  const { subjectAltName } = new X509Certificate(served.certificate)
  expect(subjectAltName).toBe(
    'DNS:localhost, DNS:hearth.example.org, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
  )
})

test('a server’s certificate signs no others, and is replaced with a third of its life left', async () => {
  const authority = await makeAuthority(now)
  const served = await issueCertificate(authority, ['localhost'], now)
  const [ofAuthority, ofServer] = [authority, served].map((one) => new X509Certificate(one.certificate))
  expect([ofAuthority?.ca, ofServer?.ca]).toEqual([true, false])
  expect(ofServer?.checkIssued(ofAuthority as X509Certificate)).toBe(true)
  expect(ofServer?.serialNumber).not.toBe(ofAuthority?.serialNumber)
  expect(renewalOf(served)).toEqual(new Date(now.getTime() + 60 * day))
})
