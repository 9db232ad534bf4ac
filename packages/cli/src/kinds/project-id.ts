import { isId } from '@hearth/foundation'
import type { View } from './kind.ts'

/** The id of the project that a list is of, from its name or id; undefined where it is of all projects. */
export async function projectIdOf(
  { client, signal }: Pick<View, 'client' | 'signal'>,
  project: string | undefined,
): Promise<string | undefined> {
  if (project === undefined || isId(project)) return project
  return (await client.projects.get(project, { signal })).metadata.id
}
