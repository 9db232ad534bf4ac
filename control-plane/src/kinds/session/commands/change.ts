import type { sessionUpdateSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import { wake } from '../../../reconciling/wake.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { changeSpec } from '../change.ts'
import { sessions } from '../queries.ts'
import { settleSession } from '../settle.ts'
import type { SessionRow } from '../table.ts'
import { readReferences } from './references.ts'

/** Says what a session is about as its caller learns it, lets it go on without its caller, or ends it. */
export const changeSession: Command<OnOne<z.output<typeof sessionUpdateSchema>>, SessionRow> = {
  async run(tx, context, { reference, body: { spec } }) {
    const { services, caller } = context
    const row = await sessions.lockForChange(tx, context, reference)
    const { columns } = await readReferences(tx, caller, spec)
    const { detached = row.spec.detached, desired = row.desired } = spec
    if (row.phase === 'ended') {
      const asks = Object.keys(columns).length > 0 || detached !== row.spec.detached || desired === 'open'
      if (asks) throw new HearthError('conflict', `session ${row.name} has ended: open another`)
      return row
    }
    if (detached && row.spec.exitCondition === 'manual')
      throw new HearthError('conflict', `session ${row.name} is manual: it cannot go on without its caller`)
    const wanted = { ...columns, desired, spec: { ...row.spec, detached } }
    const isSame =
      desired === row.desired &&
      detached === row.spec.detached &&
      Object.entries(columns).every(([column, id]) => row[column as keyof typeof columns] === id)
    if (isSame) return row
    const changed = await changeSpec(tx, row, wanted)
    await wake(tx, 'session', row.id)
    const at = { now: services.clock.now(), rest: services.timings.sessionRest }
    return (await settleSession(tx, changed, at)).row
  },
}
