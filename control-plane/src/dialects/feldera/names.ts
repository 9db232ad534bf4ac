import { z } from '@hono/zod-openapi'
import type { Caller } from '../../api/caller.ts'
import type { Services } from '../../api/services.ts'
import type { PipelineRow } from '../../kinds/pipeline/index.ts'
import { findPipelineNamed } from '../../kinds/pipeline/index.ts'
import { FelderaError } from './error.ts'

const mostCharacters = 63

/** Names in paths are looked up as they are: one that none can have is that of none. */
export const nameParams = z.object({ pipeline_name: z.string().max(1_000) })

/** Refuses a name by what is wrong with it. The rule itself is the kind's. */
export function requireName(name: string): string {
  const length = [...name].length
  if (length === 0) throw new FelderaError(400, 'EmptyName', 'a name has at least one character')
  if (length > mostCharacters)
    throw new FelderaError(
      400,
      'TooLongName',
      `a name has at most ${mostCharacters} characters, got ${length}`,
      {
        name,
        length,
        maximum: mostCharacters,
      },
    )
  if (!/^([A-Za-z0-9][-A-Za-z0-9_]*)?[A-Za-z0-9]$/.test(name))
    throw new FelderaError(
      400,
      'NameDoesNotMatchPattern',
      `a name has letters, digits, and inner hyphens and underscores: ${name} does not`,
      { name },
    )
  return name
}

export async function findPipeline(
  { database }: Pick<Services, 'database'>,
  { organizationId }: Caller,
  name: string,
): Promise<PipelineRow> {
  const row = await findPipelineNamed(database, organizationId, name)
  if (row !== undefined) return row
  throw new FelderaError(404, 'UnknownPipelineName', `there is no pipeline ${name}`, { pipeline_name: name })
}
