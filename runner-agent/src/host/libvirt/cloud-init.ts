import { stringify } from 'yaml'
import { type Seed, seedFiles, sshFolder } from './seed.ts'

/**
 * sshd settings that Hearth's own images have built in. Passwords are forbidden here and not by cloud-init's
 * `ssh_pwauth`, which restarts a sshd that is already answering.
 */
const sshdSettings = [
  `TrustedUserCAKeys ${sshFolder}/user_ca.pub`,
  `AuthorizedPrincipalsFile ${sshFolder}/principals/%u`,
  'PermitRootLogin prohibit-password',
  'PasswordAuthentication no',
  'MaxSessions 64',
  '',
].join('\n')

export interface CloudInitFiles {
  'meta-data': string
  'user-data': string
}

/** The two files of a NoCloud disk (volume label `cidata`) that give a cloud image this guest's identity. */
export function cloudInitFiles(seed: Seed): CloudInitFiles {
  const { hostname } = seed.identity
  const written = seedFiles(seed).filter(({ path }) => !pathsCloudInitWrites.has(path))
  return {
    'meta-data': stringify({ 'instance-id': seed.environmentId, 'local-hostname': hostname }),
    'user-data': `#cloud-config\n${stringify(
      {
        hostname,
        preserve_hostname: false,
        disable_root: false,
        // The image's own file: another one may need packages that the image lacks.
        locale: false,
        ssh_deletekeys: true,
        ssh_keys: {
          ed25519_private: seed.hostKey.privateKey,
          ed25519_public: seed.hostKey.publicKey,
        },
        users: seed.user === 'root' ? [{ name: 'root', ssh_authorized_keys: [seed.agentKey] }] : ['default'],
        ssh_authorized_keys: [seed.agentKey],
        random_seed: { file: '/dev/urandom', data: seed.randomSeed },
        growpart: { mode: 'auto', devices: ['/'] },
        write_files: [
          ...written.map(({ path, mode, content }) => ({
            path,
            permissions: `0${mode.toString(8)}`,
            encoding: 'b64',
            content: Buffer.from(content).toString('base64'),
          })),
          { path: '/etc/ssh/sshd_config.d/10-hearth.conf', permissions: '0644', content: sshdSettings },
        ],
      },
      { lineWidth: 0 },
    )}`,
  }
}

const pathsCloudInitWrites = new Set([
  '/etc/hostname',
  '/etc/ssh/ssh_host_ed25519_key',
  '/etc/ssh/ssh_host_ed25519_key.pub',
])
