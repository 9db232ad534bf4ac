import type { taskCreateSchema } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../api/command.ts'
import { createProcess, lockPlace, type ProcessRow } from '../process/index.ts'

/** Makes a task in an environment, or in that of a claim, and starts it unless it has a schedule. */
export const createTask: Command<z.output<typeof taskCreateSchema>, ProcessRow> = {
  async run(tx, context, { name, labels, spec: { environment, claim, start, ...given } }) {
    const place = await lockPlace(tx, context.caller, { environment, claim })
    const on = given.schedule === null ? ('manual' as const) : ('cron' as const)
    return createProcess(tx, context, place, {
      name: name ?? `run-${newId().slice(-8)}`,
      labels,
      spec: { kind: 'task', isDeclared: false, on, ...given },
      isStarted: start ?? given.schedule === null,
    })
  },
}
