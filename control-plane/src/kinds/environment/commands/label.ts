import type { environmentUpdateSchema } from '@hearth/contract'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import { labelled } from '../../../api/labelled.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { environments } from '../queries.ts'
import type { EnvironmentRow } from '../table.ts'
import { changeEnvironment } from './change.ts'

interface LabelChange {
  /** Labels that are not named stay; an empty text takes one away. */
  labels: Readonly<Record<string, string | undefined>>
  spec?: z.output<typeof environmentUpdateSchema>['spec']
}

/** Changes some of an environment's labels, and what `changeEnvironment` changes. */
export const labelEnvironment: Command<OnOne<LabelChange>, EnvironmentRow> = {
  async run(tx, context, { reference, body: { labels, spec } }) {
    const { labels: before } = await environments.lockForChange(tx, context, reference)
    const body = { labels: labelled(before, labels), spec }
    return changeEnvironment.run(tx, context, { reference, body }, undefined)
  },
}
