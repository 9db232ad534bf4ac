import type { Caller } from '../../api/caller.ts'
import type { Services } from '../../api/services.ts'
import {
  type PipelineRow,
  pipelines,
  readProgramTexts,
  toPipeline,
  toProgramText,
} from '../../kinds/pipeline/index.ts'
import type { Selector } from './schemas.ts'
import { toPipelineInfo, toStatusInfo } from './translate.ts'

type Queryable = Parameters<typeof readProgramTexts>[0]

/** Pipelines whose programs are in memory at a time. */
const readAtOnce = 8

/** Pipelines as a selector wants them; one that went meanwhile is left out. */
export async function selectedInfos(
  queryable: Queryable,
  rows: readonly PipelineRow[],
  selector: Selector,
): Promise<object[]> {
  if (selector === 'status') return rows.map((row) => toStatusInfo(toPipeline(row)))
  if (selector === 'status_with_connectors')
    return rows.map((row) => ({ ...toStatusInfo(toPipeline(row)), connectors: { num_errors: 0 } }))
  const texts = await readProgramTexts(
    queryable,
    rows.map(({ id }) => id),
  )
  return rows.flatMap((row) => {
    const text = texts.get(row.id)
    return text === undefined ? [] : toPipelineInfo(toPipeline(row), toProgramText(text))
  })
}

/** All of an organization's as one JSON array, read and sent in parts: their programs together may be large. */
export async function* listedJson(
  { database }: Pick<Services, 'database'>,
  { organizationId }: Caller,
  selector: Selector,
): AsyncGenerator<string> {
  let after: string | undefined
  let isFirst = true
  yield '['
  for (;;) {
    const rows = await pipelines.list(database, { organizationId, after, limit: readAtOnce })
    for (const info of await selectedInfos(database, rows.slice(0, readAtOnce), selector)) {
      yield `${isFirst ? '' : ','}${JSON.stringify(info)}`
      isFirst = false
    }
    if (rows.length <= readAtOnce) break
    after = rows[readAtOnce - 1]?.id
  }
  yield ']'
}
