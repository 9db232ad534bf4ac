import { Readable } from 'node:stream'
import { Parser } from 'tar'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { cloudInitFiles } from './cloud-init.ts'
import { type Seed, seedArchive, seedFiles } from './seed.ts'

const seed: Seed = {
  environmentId: '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11',
  identity: { machineId: '0197a3c27b1e7c3a9a510d3f5f0b8a11', hostname: 'shop', randomSeedDigest: '' },
  hostKey: {
    privateKey: '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
    publicKey: 'ssh-ed25519 HOST',
  },
  userCertificateAuthority: 'ssh-ed25519 AUTHORITY',
  principal: 'environment:0197a3c2',
  agentKey: 'ssh-ed25519 AGENT',
  user: 'root',
  randomSeed: 'ab'.repeat(64),
  network: 'static',
}

async function unpack(archive: Buffer) {
  const files = new Map<string, { content: string; mode: number | undefined }>()
  const parser = new Parser({
    strict: true,
    onReadEntry: (entry) => {
      const chunks: Buffer[] = []
      entry.on('data', (chunk: Buffer) => chunks.push(chunk))
      entry.on('end', () =>
        files.set(entry.path, { content: Buffer.concat(chunks).toString(), mode: entry.mode }),
      )
    },
  })
  await new Promise((resolve, reject) => {
    parser.on('end', resolve).on('error', reject)
    Readable.from([archive])
      .on('data', (chunk: Buffer) => parser.write(chunk))
      .on('end', () => parser.end())
  })
  return files
}

test('the archive holds the guest’s own files, whole blocks, secrets for root alone', async () => {
  const archive = seedArchive(seedFiles(seed))
  expect(archive.length % 512).toBe(0)
  const files = await unpack(archive)
  expect(files.get('etc/hostname')).toEqual({ content: 'shop\n', mode: 0o644 })
  expect(files.get('etc/machine-id')?.content).toBe(`${seed.identity.machineId}\n`)
  expect(files.get('etc/ssh/ssh_host_ed25519_key')).toEqual({ content: seed.hostKey.privateKey, mode: 0o600 })
  expect(files.get('etc/ssh/hearth/principals/root')?.content).toBe('environment:0197a3c2\n')
  expect(files.get('etc/ssh/hearth/user_ca.pub')?.content).toBe('ssh-ed25519 AUTHORITY\n')
  expect(files.get('var/lib/hearth/seed/random')).toEqual({ content: `${seed.randomSeed}\n`, mode: 0o600 })
})

test('cloud-init gets the same identity in its own words', () => {
  const files = cloudInitFiles(seed)
  expect(parse(files['meta-data'])).toEqual({ 'instance-id': seed.environmentId, 'local-hostname': 'shop' })
  expect(files['user-data'].startsWith('#cloud-config\n')).toBe(true)
  const data = parse(files['user-data'])
  expect(data).toMatchObject({
    hostname: 'shop',
    disable_root: false,
    ssh_keys: { ed25519_private: seed.hostKey.privateKey, ed25519_public: seed.hostKey.publicKey },
  })
  const written = new Map<string, { content: string; permissions: string }>(
    data.write_files.map((file: { path: string; content: string; permissions: string }) => [file.path, file]),
  )
  expect(Buffer.from(written.get('/etc/machine-id')?.content ?? '', 'base64').toString()).toBe(
    `${seed.identity.machineId}\n`,
  )
  expect(written.get('/var/lib/hearth/seed/random')?.permissions).toBe('0600')
})
