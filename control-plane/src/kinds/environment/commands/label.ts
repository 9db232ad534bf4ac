import type { EnvironmentPhase, environmentUpdateSchema } from '@hearth/contract'
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
  /** Has it stopped, unless it is to be at rest or is over. */
  rests?: boolean
}

const isOver: ReadonlySet<EnvironmentPhase> = new Set(['failed', 'deleting', 'deleted'])

const isToRun = ({ phase, desired_phase }: EnvironmentRow) =>
  desired_phase === 'running' && !isOver.has(phase)

/** Changes some of an environment's labels, and what `changeEnvironment` changes. */
export const labelEnvironment: Command<OnOne<LabelChange>, EnvironmentRow> = {
  async run(tx, context, { reference, body: { labels, spec, rests = false } }) {
    const before = await environments.lockForChange(tx, context, reference)
    const rest = rests && isToRun(before) ? { desiredPhase: 'stopped' as const } : {}
    const body = { labels: labelled(before.labels, labels), spec: { ...spec, ...rest } }
    return changeEnvironment.run(tx, context, { reference, body }, undefined)
  },
}
