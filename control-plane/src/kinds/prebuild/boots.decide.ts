import { type Failure, isUnanswered, type StartedFrom, speaksAgainstSnapshot } from '@hearth/contract'

/** The end of the boot of a machine that was given the prebuild. */
export interface PrebuiltBoot {
  isReady: boolean
  startedFrom: Pick<StartedFrom, 'from'> | null
  failure: Failure | null
  endedAt: Date
  /** How machines that have nothing of the prebuild booted on its host since, the first first. */
  othersSince: readonly OtherBoot[]
}

export interface OtherBoot {
  isReady: boolean
  endedAt: Date
}

/** How many machines in a row could not start from a prebuild. */
export interface BootCount {
  /** By its own fault. */
  failed: number
  /** They did not answer, and it is not known whether that is their hosts' doing. */
  unexplained: number
}

/** So long a host is watched for what explains a guest that did not answer. */
const explainedWithinMilliseconds = 3_600_000

/**
 * Counts the machines in a row that could not start from the prebuild. What failed for another reason says nothing. Records
 * of machines are forgotten in time: only a machine that could start from it lowers the count of those that failed.
 */
export function countBoots(newestFirst: readonly PrebuiltBoot[], counted: BootCount, now: Date): BootCount {
  const judged = newestFirst.map((boot) => judge(boot, now))
  const success = judged.indexOf('started')
  const since = success === -1 ? judged : judged.slice(0, success)
  const failed = since.filter((result) => result === 'failed').length
  const unexplained = since.filter((result) => result === 'unexplained').length
  return { failed: success === -1 ? Math.max(counted.failed, failed) : failed, unexplained }
}

type Judgement = 'started' | 'failed' | 'unexplained' | 'unrelated'

function judge(boot: PrebuiltBoot, now: Date): Judgement {
  const { isReady, startedFrom, failure } = boot
  // Its runner took the image instead.
  if (startedFrom?.from === 'image') return 'failed'
  if (isReady) return 'started'
  if (failure === null || !speaksAgainstSnapshot(failure)) return 'unrelated'
  return isUnanswered(failure) ? judgeSilence(boot, now) : 'failed'
}

/**
 * Why a guest did not answer is shown by the next machine on the same host that has nothing of the prebuild: where that came
 * up, it was the prebuild; where that did not answer either, the host, until another comes up there.
 */
function judgeSilence({ endedAt, othersSince }: PrebuiltBoot, now: Date): Judgement {
  const end = endedAt.getTime() + explainedWithinMilliseconds
  const others = othersSince.filter((other) => other.endedAt.getTime() <= end)
  if (others[0]?.isReady === true) return 'failed'
  return now.getTime() >= end || others.some(({ isReady }) => isReady) ? 'unrelated' : 'unexplained'
}
