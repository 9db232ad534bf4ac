import type { PipelineCreate } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import type { Command } from '../../../api/command.ts'
import { wake } from '../../../reconciling/wake.ts'
import { newResource } from '../../../resource/change.ts'
import { recordEvent } from '../../../resource/record.ts'
import { environmentClasses } from '../../environment-class/index.ts'
import { requireResource } from '../../quota/index.ts'
import { requireConfiguration, summaryOf } from '../program.ts'
import { pipelines } from '../queries.ts'
import { recordPipeline } from '../record.ts'
import { newPipelineStatus, noPipelineWork, type PipelineRow, toPipeline } from '../table.ts'

export const createPipeline: Command<PipelineCreate, PipelineRow> = {
  async run(tx, { services, caller }, { name, labels, spec: given }) {
    const { program, description, tags, runtime } = given
    requireConfiguration(program)
    const { id: environment_class_id } = await environmentClasses.get(tx, caller, given.environmentClass)
    await requireResource(tx, caller.organizationId, caller.limits, 'pipelines')
    const now = services.clock.now()
    const spec = {
      description,
      tags,
      program: summaryOf(program),
      runtime,
      initial: null,
      bootstrapPolicy: null,
    }
    const row = await pipelines.insert(
      tx,
      { ...newResource(caller, { name, labels, spec }), id: newId() },
      {
        environment_class_id,
        phase: 'stopped',
        resources: 'stopped',
        desired: 'stopped',
        runtime: null,
        desired_runtime: null,
        program: 'pending',
        storage: 'cleared',
        ...{ environment_id: null, snapshot_id: null, volume_id: null, work: noPipelineWork },
        deadline: null,
        status: newPipelineStatus(now),
        ...{ code: program.code, udf_rust: program.udfRust, udf_toml: program.udfToml },
      },
    )
    const recorded = await recordPipeline(tx, row, now)
    await tx.updateTable('pipelines').set(recorded).where('id', '=', row.id).execute()
    await recordEvent(tx, 'created', toPipeline(row))
    await wake(tx, 'pipeline', row.id)
    return { ...row, ...recorded }
  },
}
