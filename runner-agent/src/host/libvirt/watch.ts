import { setTimeout as delay } from 'node:timers/promises'

const intervalMilliseconds = 5_000

/** Asks every few seconds which machines run, all at once, and names those that came or went. */
export async function watchPower(
  listRunning: () => Promise<string[]>,
  changed: (environmentId: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let before: Set<string> | null = null
  while (!signal.aborted) {
    // A host that does not answer just now is asked again; its machines are not thereby gone.
    const now = await listRunning().then(
      (ids) => new Set(ids),
      () => null,
    )
    if (now !== null && before !== null) {
      for (const id of difference(before, now)) changed(id)
    }
    before = now ?? before
    await delay(intervalMilliseconds, undefined, { signal }).catch(() => undefined)
  }
}

function difference(left: ReadonlySet<string>, right: ReadonlySet<string>): string[] {
  return [...left].filter((id) => !right.has(id)).concat([...right].filter((id) => !left.has(id)))
}
