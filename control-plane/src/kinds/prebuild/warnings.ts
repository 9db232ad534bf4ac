import { type StartedFrom, shortestSearchedBytes } from '@hearth/contract'

/** What is to be known of a prebuild though it does not fail it. */
export function warningsOf({
  secrets,
  startedFrom,
}: {
  secrets: Readonly<Record<string, string>>
  /** What its machine started from; the reason says why not from the last good prebuild, where there was one that fits. */
  startedFrom: Pick<StartedFrom, 'from' | 'reason'> | null
}): string[] {
  const anew =
    startedFrom?.from === 'image' && startedFrom.reason !== null
      ? [`it was built from the image, and not on the last good prebuild: ${startedFrom.reason}`]
      : []
  const short = Object.entries(secrets).flatMap(([name, value]) =>
    Buffer.byteLength(value) < shortestSearchedBytes ? [name] : [],
  )
  const unsearched = short.map(
    (name) =>
      `the secret ${name} has fewer than ${shortestSearchedBytes} bytes, which stand in every disk by chance: it was not searched for`,
  )
  return [...anew, ...unsearched]
}
