import type { serviceCreateSchema } from '@hearth/contract'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../api/command.ts'
import { createProcess, lockPlace, type ProcessRow } from '../process/index.ts'

/** Makes a service in an environment, or in that of a claim, and starts it. */
export const createService: Command<z.output<typeof serviceCreateSchema>, ProcessRow> = {
  async run(tx, context, { name, labels, spec: { environment, claim, start, ...given } }) {
    const place = await lockPlace(tx, context.caller, { environment, claim })
    return createProcess(tx, context, place, {
      name,
      labels,
      spec: { kind: 'service', isDeclared: false, on: 'manual', ...given },
      isStarted: start,
    })
  },
}
