import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { CommandRunner } from '../command/command-runner.ts'

const proofSeconds = 6

export interface Proof {
  virtualization: 'kvm' | 'qemu'
  /** Why, in words. */
  reason: string
}

const cachedSchema = z.object({
  key: z.string(),
  virtualization: z.enum(['kvm', 'qemu']),
  reason: z.string(),
})

/**
 * Finds out whether KVM works here. That the device exists, or that libvirt lists it, proves nothing: only a running
 * guest does. So a kernel is started under KVM for a few seconds and must write to its serial line. The result is
 * cached in `cachePath` until kernel, QEMU, image or device change.
 */
export async function proveVirtualization(
  runner: CommandRunner,
  kernelPath: string | null,
  cachePath: string,
): Promise<Proof> {
  const facts = await runner.run([
    'sh',
    '-c',
    'uname -r; qemu-system-x86_64 --version | head -n 1; stat -c "%a %U %G %t:%T" /dev/kvm 2>&1; ' +
      'grep -m 1 "^model name" /proc/cpuinfo; [ -n "$1" ] && stat -c "%n %s %Y" "$1"',
    'sh',
    kernelPath ?? '',
  ])
  const key = createHash('sha256').update(facts.stdout).digest('hex')
  const kept = parse(await runner.readFile(cachePath))
  if (kept?.key === key) return kept
  const proof = await run(runner, kernelPath)
  await runner.writeFile(cachePath, `${JSON.stringify({ key, ...proof })}\n`, 0o644)
  return proof
}

async function run(runner: CommandRunner, kernelPath: string | null): Promise<Proof> {
  const usable = await runner.run(['sh', '-c', '[ -c /dev/kvm ] && [ -r /dev/kvm ] && [ -w /dev/kvm ]'])
  if (usable.exitCode !== 0) return { virtualization: 'qemu', reason: '/dev/kvm is not there or not usable' }
  if (kernelPath === null) {
    return { virtualization: 'qemu', reason: 'no base image with a kernel to try KVM with' }
  }
  // grep ends at the first output, and timeout ends a guest that prints nothing.
  const script =
    'timeout --kill-after=1 "$1" qemu-system-x86_64 -accel kvm -machine q35 -cpu host -m 256 -display none ' +
    '-nodefaults -no-user-config -no-reboot -serial stdio -monitor none -kernel "$2" ' +
    '-append "console=ttyS0 earlyprintk=ttyS0 panic=-1" </dev/null 2>&1 | grep -a -m 1 "Linux version"'
  const tried = await runner.run(['sh', '-c', script, 'sh', String(proofSeconds), kernelPath], {
    timeoutMilliseconds: (proofSeconds + 10) * 1000,
  })
  return tried.exitCode === 0
    ? { virtualization: 'kvm', reason: 'a guest kernel ran under KVM' }
    : {
        virtualization: 'qemu',
        reason: `/dev/kvm is there, but a guest kernel said nothing under it for ${proofSeconds} s`,
      }
}

function parse(text: Buffer | null) {
  try {
    return text === null ? null : cachedSchema.parse(JSON.parse(text.toString('utf8')))
  } catch {
    return null
  }
}
