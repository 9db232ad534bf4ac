import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { HearthError } from '@hearth/foundation'
import type { Invocation } from '../invocation.ts'

const needed = ['virsh', 'qemu-system-x86_64', 'qemu-img', 'passt'] as const

/** Throws, naming the two alternatives, when this host cannot run virtual machines at all. */
export async function requireLibvirt({ config }: Pick<Invocation, 'config'>): Promise<void> {
  const folders = [...(config.variables.PATH ?? '').split(':'), '/usr/sbin', '/sbin']
  const missing = needed.filter((program) => !folders.some((folder) => existsSync(join(folder, program))))
  if (missing.length === 0) return
  throw new HearthError(
    'unavailable',
    `virtual machines cannot run here: ${missing.join(', ')} missing.\n  ./quickstart.sh installs them; ./quickstart.sh --synthetic shows everything with pretended machines.`,
  )
}
