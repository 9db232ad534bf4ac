import { noProgramError, type PipelineUpdate } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { Command } from '../../../api/command.ts'
import { found } from '../../../api/lookup.ts'
import { type DatabaseTransaction, isUniqueViolation } from '../../../database/connection.ts'
import { wake } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { environmentClasses } from '../../environment-class/index.ts'
import { dropCompiled, nothingCompiled } from '../compile.ts'
import { type Edited, editOf } from '../edit.ts'
import { requireJudged } from '../judged.ts'
import { requireConfiguration, summaryOf } from '../program.ts'
import { pipelines, readProgramTexts } from '../queries.ts'
import { type PipelineRow, toPipeline, toProgramText } from '../table.ts'
import { changePipelineRow } from '../write.ts'

/** Changes what people write of a pipeline that is stopped; labels at any time. */
export const changePipeline: Command<OnOne<PipelineUpdate>, PipelineRow> = {
  async run(tx, context, { reference, body: { name, labels, spec } }) {
    const { caller, services } = context
    const row = await pipelines.lockForChange(tx, context, reference)
    const wantedClass = spec?.environmentClass
    const classId =
      wantedClass === undefined
        ? row.environment_class_id
        : (await environmentClasses.get(tx, caller, wantedClass)).id
    const { after, isChanged, isProgramChanged, storageBound } = editOf(
      await readEdited(tx, row),
      { name, spec },
      classId,
    )
    if (name !== undefined || spec !== undefined) requireJudged(row, { do: 'edit', storageBound })
    requireConfiguration(after.program)
    const relabelled = labels ?? row.labels
    if (!isChanged) {
      if (labels === undefined) return row
      const changed = await pipelines.changeSpec(tx, row.id, { labels })
      await recordEvent(tx, 'updated', toPipeline(changed))
      return changed
    }
    const { description, tags, program, runtime } = after
    const { version, refreshVersion, programVersion } = row.status
    const now = services.clock.now()
    // A class has another image, or another size, than what was compiled.
    const isCompiledAnew = isProgramChanged || classId !== row.environment_class_id
    if (isCompiledAnew) await dropCompiled(tx, row, now)
    await wake(tx, 'pipeline', row.id)
    return changePipelineRow(tx, row, {
      spec: { ...row.spec, description, tags: [...tags], program: summaryOf(program), runtime },
      status: {
        version: version + 1,
        refreshVersion: refreshVersion + 1,
        ...(isProgramChanged ? { programVersion: programVersion + 1 } : {}),
        ...(isCompiledAnew ? { programError: noProgramError } : {}),
      },
      ...(isCompiledAnew ? nothingCompiled : {}),
      others: {
        name: after.name,
        labels: relabelled,
        environment_class_id: classId,
        ...(isProgramChanged
          ? { code: program.code, udf_rust: program.udfRust, udf_toml: program.udfToml }
          : {}),
      },
      isWish: true,
      now,
    }).catch((thrown: unknown) => {
      if (!isUniqueViolation(thrown)) throw thrown
      throw new HearthError('conflict', `there is a pipeline ${after.name} already`, { isTaken: true })
    })
  },
}

async function readEdited(tx: DatabaseTransaction, row: PipelineRow): Promise<Edited> {
  const text = found((await readProgramTexts(tx, [row.id])).get(row.id), 'pipeline', row.id)
  const { description, tags, runtime } = row.spec
  return {
    name: row.name,
    environmentClassId: row.environment_class_id,
    ...{ description, tags, runtime },
    program: toProgramText(text),
  }
}
