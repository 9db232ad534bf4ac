import type { View } from './kind.ts'

/** Names of projects, classes and runners by id, for tables. */
export async function referenceNames(view: View): Promise<ReadonlyMap<string, string>> {
  const { client, signal } = view
  const lists = await Promise.all([
    client.projects.listAll({}, { signal }),
    client.environmentClasses.listAll({}, { signal }),
    client.runners.listAll({}, { signal }),
  ])
  return new Map(lists.flat().map(({ metadata }) => [metadata.id, metadata.name]))
}

export function named(names: ReadonlyMap<string, string>, id: string | null): string {
  return id === null ? '-' : (names.get(id) ?? id)
}
