import type { Command } from '../../../api/command.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { releaseArtifacts } from '../../artifact/index.ts'
import { dropCompiled } from '../compile.ts'
import { requireJudged } from '../judged.ts'
import { pipelines } from '../queries.ts'
import { type PipelineRow, toPipeline } from '../table.ts'

/** Removes a pipeline that is stopped and has nothing stored, with its events, and what was compiled. */
export const deletePipeline: Command<OnOne, PipelineRow> = {
  async run(tx, context, { reference }) {
    const row = await pipelines.lockForChange(tx, context, reference)
    requireJudged(row, { do: 'delete' })
    await dropCompiled(tx, row, context.services.clock.now())
    await releaseArtifacts(tx, row.id)
    await pipelines.remove(tx, row.id)
    await recordEvent(tx, 'deleted', toPipeline(row))
    return row
  },
}
