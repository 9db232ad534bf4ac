import type { Explanation } from '@hearth/contract'
import type { Queryable } from '../../database/connection.ts'
import { lookAtCompile, lookAtPipeline } from './look.ts'
import { readSight } from './scene.ts'
import { type PipelineRow, toPipeline } from './table.ts'
import { explainPipeline } from './why.ts'

/** Reads what a pipeline depends on, and explains its phase. */
export async function explain(queryable: Queryable, row: PipelineRow): Promise<Explanation> {
  const sight = await readSight(queryable, row)
  const reasons = explainPipeline({
    pipeline: toPipeline(row),
    life: await lookAtPipeline(queryable, row, sight),
    compile: await lookAtCompile(queryable, row, sight),
  })
  return { kind: 'Pipeline', id: row.id, name: row.name, phase: row.phase, ...reasons }
}
