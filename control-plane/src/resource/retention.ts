const recordMilliseconds = 7 * 24 * 3_600_000

/** What has ended before then is not kept any more. */
export const recordSince = (now: Date): Date => new Date(now.getTime() - recordMilliseconds)
