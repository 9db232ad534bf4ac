import type { History, SeenEvent, Violation } from './history.ts'

/** Every event reaches an observer at least once, and those of one resource in order; over HTTP exactly once, in order. */
export function checkEvents({ records, streamed, published, publishedWhole }: History): Violation[] {
  return [
    ...wrongStream(records.events, streamed),
    ...wrongOrder(published),
    ...(publishedWhole ? missing(records.events, published) : []),
  ]
}

/** Missing events may still arrive; duplicated or reordered events are final. */
function* wrongStream(recorded: readonly SeenEvent[], streamed: readonly SeenEvent[]): Generator<Violation> {
  const violate = (message: string, lasting: boolean): Violation => ({ rule: 'events', message, lasting })
  let last = 0
  for (const { id, position } of streamed) {
    if (position <= last)
      yield violate(`event ${id} (position ${position}) came after position ${last}`, true)
    else if (position > last + 1) yield violate(`positions ${last + 1} to ${position - 1} were skipped`, true)
    last = Math.max(last, position)
  }
  const seen = new Set(streamed.map(({ id }) => id))
  const absent = recorded.filter(({ id }) => !seen.has(id)).length
  if (absent > 0)
    yield violate(`${absent} of ${recorded.length} events have not reached the observer over HTTP`, false)
}

function* wrongOrder(published: readonly SeenEvent[]): Generator<Violation> {
  const last = new Map<string, number>()
  const seen = new Set<string>()
  for (const { id, kind, resourceId, position } of published) {
    if (seen.has(id)) continue
    seen.add(id)
    const key = `${kind} ${resourceId}`
    const before = last.get(key) ?? 0
    if (position < before) {
      const message = `on NATS, event ${position} of ${key} came after ${before}`
      yield { rule: 'events', message, lasting: true }
    }
    last.set(key, Math.max(before, position))
  }
}

function* missing(recorded: readonly SeenEvent[], published: readonly SeenEvent[]): Generator<Violation> {
  const seen = new Set(published.map(({ id }) => id))
  const absent = recorded.filter(({ id }) => !seen.has(id))
  if (absent.length > 0) {
    const first = absent[0]
    const message = `${absent.length} of ${recorded.length} events are not on NATS, the first at position ${first?.position}`
    yield { rule: 'events', message, lasting: false }
  }
}
