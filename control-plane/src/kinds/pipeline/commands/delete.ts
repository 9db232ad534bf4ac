import type { Command } from '../../../api/command.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { requireJudged } from '../judged.ts'
import { pipelines } from '../queries.ts'
import { type PipelineRow, toPipeline } from '../table.ts'

/** Removes a pipeline that is stopped and has nothing stored, with its events. */
export const deletePipeline: Command<OnOne, PipelineRow> = {
  async run(tx, context, { reference }) {
    const row = await pipelines.lockForChange(tx, context, reference)
    requireJudged(row, { do: 'delete' })
    await pipelines.remove(tx, row.id)
    await recordEvent(tx, 'deleted', toPipeline(row))
    return row
  },
}
