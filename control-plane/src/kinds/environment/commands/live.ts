import type { extendSchema } from '@hearth/contract'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { extend, noteActivity } from '../life/change.ts'
import { environments } from '../queries.ts'
import type { EnvironmentRow } from '../table.ts'

/** Puts the ends of an environment off. */
export const extendEnvironment: Command<OnOne<z.output<typeof extendSchema>>, EnvironmentRow> = {
  async run(tx, context, { reference, body: { seconds } }) {
    const row = await environments.lockForChange(tx, context, reference)
    return extend(tx, row, seconds, context.services.clock.now())
  },
}

/** Says that somebody uses an environment, in a way that Hearth cannot see. */
export const useEnvironment: Command<OnOne, EnvironmentRow> = {
  async run(tx, context, { reference }) {
    const row = await environments.lockForChange(tx, context, reference)
    return noteActivity(tx, row, context.services.clock.now())
  },
}
