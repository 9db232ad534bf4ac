import { goneIsNull } from './gone-is-null.ts'
import type { Names, View } from './kind.ts'

interface Named {
  metadata: { id: string; name: string }
}
interface Readable {
  get(id: string, options: { signal: AbortSignal }): Promise<Named>
  listAll(filter: object, options: { signal: AbortSignal }): Promise<Named[]>
}

/** Up to this many resources are read one by one; more of them by listing all. */
const readOneByOne = 5

/** Names of projects, classes and runners by id, for tables. */
export async function referenceNames({ client, signal }: View): Promise<Names> {
  const lists = await Promise.all([
    client.projects.listAll({}, { signal }),
    client.environmentClasses.listAll({}, { signal }),
    client.runners.listAll({}, { signal }),
  ])
  return nameMap(lists.flat())
}

/** Names of the given ids of one kind; deleted resources have none. */
export async function namesOf(
  group: Readable,
  ids: Iterable<string | null | undefined>,
  signal: AbortSignal,
): Promise<Names> {
  const wanted = [...new Set(ids)].filter((id) => typeof id === 'string')
  if (wanted.length === 0) return new Map()
  if (wanted.length > readOneByOne) return nameMap(await group.listAll({}, { signal }))
  const read = await Promise.all(wanted.map((id) => group.get(id, { signal }).catch(goneIsNull)))
  return nameMap(read.filter((resource) => resource !== null))
}

export async function joined(...parts: readonly Promise<Names>[]): Promise<Names> {
  return new Map((await Promise.all(parts)).flatMap((names) => [...names]))
}

function nameMap(resources: readonly Named[]): Names {
  return new Map(resources.map(({ metadata }) => [metadata.id, metadata.name]))
}

/** The name, or the id where there is no name. */
export function named(names: Names, id: string | null): string {
  return id === null ? '-' : (names.get(id) ?? id)
}
