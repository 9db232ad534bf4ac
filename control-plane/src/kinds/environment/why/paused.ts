import type { Pause } from '@hearth/contract'
import { type EnvironmentSight, type Reasons, runnerName } from './sight.ts'

/** Explains a paused guest: why, and who resumes it. */
export function explainPaused(seen: EnvironmentSight, { reason, since }: Pause): Reasons {
  const { metadata, status } = seen.environment
  const runner = runnerName(seen)
  const byHand = `\`virsh resume hearth-${metadata.id}\` on ${runner} lets it go on`
  const explained = {
    io_error: {
      cause: 'its disk could not be written, most likely because the disk of the host is full',
      next: `it goes on by itself when ${runner} has room again: free some there`,
    },
    suspended: {
      cause: 'somebody on the host suspended it',
      next: `it is not resumed by itself; ${byHand}`,
    },
    other: {
      cause: 'the hypervisor stopped it',
      next: `the log of its QEMU on ${runner} says more; ${byHand}`,
    },
  }[reason]
  return {
    sentence: `its guest stands still on ${runner}: ${explained.cause}; it is ${status.phase} otherwise, and no claim gets it`,
    evidence: [{ what: 'it is paused since', at: since }],
    next: explained.next,
  }
}
