import type { History, Versioned, Violation } from './history.ts'

/** Versions only ever rise, for a polling reader and for an observer of events. */
export function checkVersions({ readings, streamed, published }: History): Violation[] {
  const firstOfEach = [...new Map(published.map((event) => [event.id, event])).values()]
  return [
    ...falling(readings, 'a reader'),
    ...falling(streamed.flatMap(versionsOf), 'an observer over HTTP'),
    ...falling(firstOfEach.flatMap(versionsOf), 'an observer over NATS'),
  ].map((message) => ({ rule: 'versions', message, lasting: true }))
}

function versionsOf(event: History['streamed'][number]): Versioned[] {
  const { kind, resourceId, specVersion, statusVersion } = event
  if (specVersion === null || statusVersion === null) return []
  return [{ kind, id: resourceId, specVersion, statusVersion }]
}

function* falling(seen: readonly Versioned[], who: string): Generator<string> {
  const last = new Map<string, Versioned>()
  for (const now of seen) {
    const key = `${now.kind} ${now.id}`
    const before = last.get(key)
    last.set(key, now)
    if (before === undefined) continue
    if (now.specVersion < before.specVersion || now.statusVersion < before.statusVersion) {
      yield `${who} saw ${key} go from ${words(before)} to ${words(now)}`
    }
  }
}

const words = ({ specVersion, statusVersion }: Versioned) => `${specVersion}/${statusVersion}`
