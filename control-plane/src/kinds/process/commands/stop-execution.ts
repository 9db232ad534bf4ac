import type { Command } from '../../../api/command.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { getExecution } from '../executions/queries.ts'
import type { ProcessRow } from '../table.ts'
import { stopProcessIf } from './change.ts'

/** Ends one start of a task; one that is over, or that another took the place of, is left as it is. */
export const stopExecution: Command<OnOne, ProcessRow> = {
  async run(tx, context, { reference, body }) {
    const { request, task } = await getExecution(tx, context.caller, reference)
    const stop = stopProcessIf('task', (row) => row.request === request)
    return stop.run(tx, context, { reference: task.id, body }, undefined)
  },
}
