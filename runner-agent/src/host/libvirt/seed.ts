import { Header } from 'tar'
import { z } from 'zod'
import { randomSeedPath } from '../random-seed.ts'
import type { SeedFile } from '../seed-file.ts'
import { identitySchema } from './metadata.ts'

/** A guest's identity, in whichever form its image expects it. */
export const seedSchema = z.object({
  environmentId: z.string(),
  identity: identitySchema,
  hostKey: z.object({ privateKey: z.string(), publicKey: z.string() }),
  userCertificateAuthority: z.string(),
  principal: z.string(),
  /** OpenSSH public key that this agent logs in with. */
  agentKey: z.string(),
  user: z.string(),
  randomSeed: z.string(),
  /** Address fixed in the base image, or address assigned by the network's DHCP server. */
  network: z.enum(['static', 'dhcp']),
})
export type Seed = z.infer<typeof seedSchema>

export const sshFolder = '/etc/ssh/hearth'

/** The guest's own files, by absolute path. */
export function seedFiles(seed: Seed): SeedFile[] {
  const line = (text: string) => `${text.trim()}\n`
  const { hostname, machineId } = seed.identity
  return [
    { path: '/etc/hostname', mode: 0o644, content: line(hostname) },
    {
      path: '/etc/hosts',
      mode: 0o644,
      content: `127.0.0.1 localhost\n127.0.1.1 ${hostname}\n::1 localhost ip6-localhost ip6-loopback\n`,
    },
    { path: '/etc/machine-id', mode: 0o444, content: line(machineId) },
    { path: '/etc/ssh/ssh_host_ed25519_key', mode: 0o600, content: seed.hostKey.privateKey },
    { path: '/etc/ssh/ssh_host_ed25519_key.pub', mode: 0o644, content: line(seed.hostKey.publicKey) },
    { path: `${sshFolder}/user_ca.pub`, mode: 0o644, content: line(seed.userCertificateAuthority) },
    { path: `${sshFolder}/authorized_keys`, mode: 0o644, content: line(seed.agentKey) },
    { path: `${sshFolder}/principals/${seed.user}`, mode: 0o644, content: line(seed.principal) },
    { path: randomSeedPath, mode: 0o600, content: line(seed.randomSeed) },
    // Always written: a snapshot's disk may have that of a machine in another network.
    { path: '/var/lib/hearth/seed/network', mode: 0o644, content: line(seed.network) },
  ]
}

const blockBytes = 512

/** The files as a plain ustar archive without folders: the image has those, and their owner and mode are its own. */
export function seedArchive(files: readonly SeedFile[]): Buffer {
  const blocks = files.flatMap((file) => {
    const content = Buffer.from(file.content)
    const header = new Header({
      path: file.path.replace(/^\//, ''),
      mode: file.mode,
      uid: 0,
      gid: 0,
      size: content.length,
      mtime: new Date(0),
      type: 'File',
    })
    const head = Buffer.alloc(blockBytes)
    if (header.encode(head, 0)) throw new Error(`${file.path} does not fit an archive header`)
    return [head, content, Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes)]
  })
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockBytes)])
}
