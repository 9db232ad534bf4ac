import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Check, Finding } from '../finding.ts'

interface Needed {
  program: string
  package: string
  /** What is impossible without the program. */
  for: string
  level: 'problem' | 'warning'
}

const needed: readonly Needed[] = [
  { program: 'qemu-system-x86_64', package: 'qemu-system-x86', for: 'machines', level: 'problem' },
  { program: 'qemu-img', package: 'qemu-utils', for: 'disks of machines', level: 'problem' },
  { program: 'virsh', package: 'libvirt-clients', for: 'machines', level: 'problem' },
  { program: 'libvirtd', package: 'libvirt-daemon-system', for: 'machines', level: 'problem' },
  { program: 'passt', package: 'passt', for: 'networks of machines', level: 'problem' },
  {
    program: 'nft',
    package: 'nftables',
    for: 'keeping machines from this host and from closed networks',
    level: 'warning',
  },
  { program: 'caddy', package: 'caddy', for: '`hearth expose`', level: 'warning' },
  { program: 'ssh', package: 'openssh-client', for: '`hearth ssh` and `hearth exec`', level: 'problem' },
  { program: 'ssh-keygen', package: 'openssh-client', for: '`hearth claim`', level: 'problem' },
  { program: 'git', package: 'git', for: 'the quickstart', level: 'warning' },
  { program: 'mmdebstrap', package: 'mmdebstrap', for: '`hearth image build`', level: 'warning' },
  { program: 'mke2fs', package: 'e2fsprogs', for: '`hearth image build`', level: 'warning' },
  { program: 'genisoimage', package: 'genisoimage', for: 'images with cloud-init', level: 'warning' },
]

export const programsCheck: Check = {
  name: 'programs',
  async examine({ variables }) {
    const folders = [...(variables.PATH ?? '').split(':'), '/usr/sbin', '/sbin'].filter(
      (folder) => folder !== '',
    )
    const missing = needed.filter(
      ({ program }) => !folders.some((folder) => existsSync(join(folder, program))),
    )
    return judgePrograms(missing.map(({ program }) => program))
  },
}

/** Returns a finding for each missing program, and one command that installs all of them. */
export function judgePrograms(missing: readonly string[]): Finding[] {
  const absent = needed.filter(({ program }) => missing.includes(program))
  if (absent.length === 0) return [{ check: 'programs', level: 'ok', message: 'all programs are installed' }]
  const remedy = `apt-get install --no-install-recommends ${packages(absent)}`
  return absent.map(({ program, for: purpose, level }) => ({
    check: 'programs',
    level,
    message: `${program} is missing; it is needed for ${purpose}`,
    remedy,
  }))
}

// Without its QEMU driver libvirtd answers but cannot run machines.
function packages(absent: readonly Needed[]): string {
  const names = absent.flatMap(({ package: name }) =>
    name === 'libvirt-daemon-system' ? [name, 'libvirt-daemon-driver-qemu'] : [name],
  )
  return [...new Set(names)].join(' ')
}
