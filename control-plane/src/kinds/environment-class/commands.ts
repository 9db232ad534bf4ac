import type { environmentClassCreateSchema, environmentClassUpdateSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../api/command.ts'
import { given, newResource } from '../../resource/change.ts'
import { recordEvent } from '../../resource/record.ts'
import type { OnOne } from '../../resource/routes.ts'
import { requireResource } from '../quota/index.ts'
import { countUses, environmentClasses } from './queries.ts'
import { type EnvironmentClassRow, toEnvironmentClass } from './table.ts'

export const createEnvironmentClass: Command<
  z.output<typeof environmentClassCreateSchema>,
  EnvironmentClassRow
> = {
  async run(tx, { caller }, body) {
    await requireResource(tx, caller.organizationId, caller.limits, 'environmentClasses')
    const row = await environmentClasses.insert(tx, newResource(caller, body))
    await recordEvent(tx, 'created', toEnvironmentClass(row))
    return row
  },
}

/** Changes a class. Existing environments keep their size. */
export const changeEnvironmentClass: Command<
  OnOne<z.output<typeof environmentClassUpdateSchema>>,
  EnvironmentClassRow
> = {
  async run(tx, context, { reference, body }) {
    const row = await environmentClasses.lockForChange(tx, context, reference)
    const spec = { ...row.spec, ...given(body.spec) }
    const changed = await environmentClasses.changeSpec(tx, row.id, {
      labels: body.labels ?? row.labels,
      spec,
    })
    await recordEvent(tx, 'updated', toEnvironmentClass(changed))
    return changed
  },
}

/** Deletes a class that no pool, pipeline or environment uses. */
export const deleteEnvironmentClass: Command<OnOne, EnvironmentClassRow> = {
  async run(tx, context, { reference }) {
    const row = await environmentClasses.lockForChange(tx, context, reference)
    const uses = await countUses(tx, row.id)
    if (uses > 0)
      throw new HearthError(
        'conflict',
        `${uses} pools, pipelines or environments are of class ${row.name}: delete them first`,
      )
    await environmentClasses.remove(tx, row.id)
    await recordEvent(tx, 'deleted', toEnvironmentClass(row))
    return row
  },
}
