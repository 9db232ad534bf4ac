import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import {
  type Access,
  accessFolder,
  configurationFile,
  endsSoon,
  forgetAccess,
  loadAccess,
  saveAccess,
} from './access.ts'
import { keyPair } from './key-pair.ts'

// The path contains a space, which the configuration has to quote.
const state = mkdtempSync(join(tmpdir(), 'hearth access-'))
afterAll(() => rmSync(state, { recursive: true }))

const id = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'
const access: Access = {
  id,
  kind: 'claim',
  connection: {
    address: { host: '127.0.0.1', port: 40_022, user: 'root', hostKey: 'ssh-ed25519 AAAAC3Nza' },
    certificate: 'ssh-ed25519-cert-v01@openssh.com AAAA',
    expiresAt: '2026-11-20T19:00:00.000Z',
  },
}

test('ssh itself understands the configuration: pinned key, certificate, nothing else', async () => {
  const pair = await keyPair(state, { PATH: '/usr/bin:/bin' })
  expect(pair.publicKey).toMatch(/^ssh-ed25519 \S+ hearth$/)
  saveAccess(state, pair.privateKeyFile, access)
  const understood = execFileSync('ssh', ['-G', '-F', configurationFile(state, id), 'hearth'], {
    encoding: 'utf8',
  })
  const folder = accessFolder(state, id)
  expect(understood.split('\n')).toEqual(
    expect.arrayContaining([
      'hostname 127.0.0.1',
      'port 40022',
      'user root',
      `hostkeyalias ${id}`,
      'stricthostkeychecking true',
      'identitiesonly yes',
      `identityfile ${pair.privateKeyFile}`,
      `certificatefile ${join(folder, 'certificate.pub')}`,
      `userknownhostsfile ${join(folder, 'known_hosts')}`,
    ]),
  )
})

test('everything that is stored is readable by its owner only, and is read back', async () => {
  const pair = await keyPair(state, { PATH: '/usr/bin:/bin' })
  saveAccess(state, pair.privateKeyFile, access)
  for (const name of readdirSync(accessFolder(state, id))) {
    expect(statSync(join(accessFolder(state, id), name)).mode & 0o777).toBe(0o600)
  }
  expect(statSync(pair.privateKeyFile).mode & 0o777).toBe(0o600)
  expect(loadAccess(state, id)).toEqual(access)
  forgetAccess(state, id)
  expect(loadAccess(state, id)).toBeNull()
})

test('the key is made once', async () => {
  const [first, second] = [await keyPair(state, {}), await keyPair(state, {})]
  expect(second.publicKey).toBe(first.publicKey)
})

test.each([
  ['2026-11-20T18:57:59.000Z', false],
  ['2026-11-20T18:58:01.000Z', true],
  ['2026-11-20T19:30:00.000Z', true],
])('at %s the certificate that ends at 19:00 ends soon: %s', (now, soon) => {
  expect(endsSoon(access, new Date(now))).toBe(soon)
})

test.each([
  ['a host with a line of configuration', { host: '127.0.0.1\n  ProxyCommand touch /tmp/owned' }],
  ['a host that is an option', { host: '-oProxyCommand=true' }],
  ['a user with a line of configuration', { user: 'root\n  LocalCommand true' }],
  ['a second host key', { hostKey: 'ssh-ed25519 AAAA\n* ssh-ed25519 BBBB' }],
])('%s is refused with the value, and nothing is written for ssh', (_, changes) => {
  const other = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a12'
  const { connection } = access
  const hostile = {
    ...access,
    id: other,
    connection: { ...connection, address: { ...connection.address, ...changes } },
  }
  const [value] = Object.values(changes)
  expect(() => saveAccess(state, '/none', hostile)).toThrow(JSON.stringify(value))
  expect(() => readdirSync(accessFolder(state, other))).toThrow('ENOENT')
})

test('a certificate of two lines and an id that is a path are refused', () => {
  const connection = { ...access.connection, certificate: 'one\ntwo' }
  expect(() => saveAccess(state, '/none', { ...access, connection })).toThrow('one line')
  expect(() => saveAccess(state, '/none', { ...access, id: '../../.ssh' })).toThrow('id')
})
