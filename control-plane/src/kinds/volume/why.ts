import type { Explanation, Volume } from '@hearth/contract'
import { assertNever, spokenTime } from '@hearth/foundation'

export interface VolumeSight {
  volume: Volume
  /** The machine that it is kept for. */
  environment: { name: string; phase: string } | null
  runner: { name: string; phase: string } | null
}

type Reasons = Pick<Explanation, 'sentence' | 'evidence' | 'next'>

/** Why a volume is in the phase it is in. Pure. */
export function explain({ volume, environment, runner }: VolumeSight): Reasons {
  const { spec, status, metadata } = volume
  const { name } = metadata
  const until = status.deadline === null ? null : spokenTime(status.deadline)
  const host = `runner ${runner?.name ?? 'unknown'}`
  const machine = `environment ${environment?.name ?? 'unknown'}`
  const evidence = [
    ...(runner === null
      ? []
      : [{ what: `its disk is on the host of ${host}, which is ${runner.phase}`, at: null }]),
    ...(environment === null ? [] : [{ what: `${machine} is ${environment.phase}`, at: null }]),
    ...(status.usedMebibytes === null
      ? []
      : [{ what: `it takes ${status.usedMebibytes} of ${spec.sizeMebibytes} MiB`, at: null }]),
  ]
  const failsAfter = until === null ? null : `it fails unless that is done by ${until}`
  switch (status.phase) {
    case 'unplaced':
      return {
        sentence: 'it is made on the host of the first machine that it is attached to',
        evidence,
        next: `attach it with \`hearth volume attach ${name} ENVIRONMENT\``,
      }
    case 'pending':
      return {
        sentence: `it waits for ${status.waitsFor ?? 'a runner with room for it'}`,
        evidence,
        next: until === null ? null : `it fails unless that is so by ${until}`,
      }
    case 'creating':
      return { sentence: `${host} makes its disk`, evidence, next: failsAfter }
    case 'available':
      return {
        sentence: spec.isSnapshot ? 'it is a snapshot, of which volumes can be made' : 'no machine has it',
        evidence,
        next: spec.isSnapshot
          ? `make one with \`hearth volume create NAME --from ${name}\``
          : `attach it to a machine on ${host} with \`hearth volume attach ${name} ENVIRONMENT\``,
      }
    case 'attaching':
      return { sentence: `${host} mounts it in ${machine} at ${spec.mountPath}`, evidence, next: failsAfter }
    case 'attached':
      return status.isMounted
        ? {
            sentence: `it is mounted in ${machine} at ${spec.mountPath}, and no other machine can have it`,
            evidence,
            next: null,
          }
        : {
            sentence: `it is kept for ${machine}, which does not run`,
            evidence,
            next: `it is mounted at ${spec.mountPath} when that starts`,
          }
    case 'detaching':
      return {
        sentence: `${host} takes it out of its machine once that has written out what belongs to it`,
        evidence,
        next: failsAfter,
      }
    case 'clearing':
      return { sentence: `${host} gives it a new, empty file system`, evidence, next: failsAfter }
    case 'growing':
      return { sentence: `${host} enlarges it to ${spec.sizeMebibytes} MiB`, evidence, next: failsAfter }
    case 'failed':
      return {
        sentence: status.failure?.message ?? 'it failed',
        evidence,
        next:
          spec.environmentId === null
            ? `\`hearth volume detach ${name}\` has it tried again, \`hearth volume delete ${name}\` gives it up`
            : `attach it again to have it tried again, or take it out with \`hearth volume detach ${name}\``,
      }
    case 'deleting':
      return {
        sentence: `it is being deleted; ${host} removes its disk first`,
        evidence,
        next: until === null ? null : `it is gone here by ${until} whatever the runner says`,
      }
    default:
      return assertNever(status.phase)
  }
}
