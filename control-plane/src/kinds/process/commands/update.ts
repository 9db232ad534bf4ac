import { processWork } from '@hearth/contract'
import { HearthError, invalidValue } from '@hearth/foundation'
import type { Command } from '../../../api/command.ts'
import { requestOrders } from '../../../database/outbox.ts'
import { given } from '../../../resource/change.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { activePhases } from '../decide.ts'
import { withDependencies } from '../dependencies.ts'
import { processes } from '../queries.ts'
import { type ProcessKind, type ProcessRow, type StoredProcessSpec, toListedProcess } from '../table.ts'
import { lockForChange, refuseKept } from './change.ts'
import { refuseLarge, refuseUnknown, refuseUnknownSecrets } from './create.ts'

/** What of one may be changed; what is not given stays. */
export interface ProcessUpdate {
  labels?: Record<string, string> | undefined
  spec?: Partial<StoredProcessSpec> | undefined
}

/** Changes what is run, from its next run on: not while one goes on, which would not be what its record says. */
export const updateProcess = (kind: ProcessKind): Command<OnOne<ProcessUpdate>, ProcessRow> => ({
  async run(tx, context, { reference, body: { labels, spec } }) {
    const { environment, rows, row } = await lockForChange(tx, context, kind, reference)
    refuseKept(row)
    if (spec !== undefined) refuseFixed(row)
    const changed = { ...row.spec, ...given(spec) } as StoredProcessSpec
    refuseLarge(changed)
    const others = rows.filter(({ id }) => id !== row.id)
    refuseUnknown(changed.dependsOn, others)
    refuseCircle(row.name, changed.dependsOn, others)
    if (spec?.secrets !== undefined) await refuseUnknownSecrets(tx, environment, spec.secrets)
    const after = await processes.changeSpec(tx, row.id, { spec: changed, labels: labels ?? row.labels })
    await recordEvent(tx, 'updated', toListedProcess(after))
    // Its runner may not have said yet that it has forgotten the last run.
    if (row.runner_id !== null)
      await requestOrders(tx, processWork.kind, [{ id: row.id, runnerId: row.runner_id }])
    return after
  },
})

function refuseFixed({ kind, name, spec, phase, desired }: ProcessRow): void {
  if (spec.isDeclared)
    throw new HearthError(
      'conflict',
      `${kind} ${name} is declared by ${
        spec.repository == null ? 'its project' : `hearth.yaml of repository ${spec.repository}`
      }: change it there`,
    )
  if (desired === 'delete')
    throw new HearthError('conflict', `${kind} ${name} is being deleted: it is not changed any more`)
  if (activePhases.has(phase))
    throw new HearthError('conflict', `${kind} ${name} is ${phase}: stop it before it is changed`)
}

function refuseCircle(name: string, dependsOn: readonly string[], others: readonly ProcessRow[]): void {
  const linked = others.map((other) => ({ name: other.name, dependsOn: other.spec.dependsOn }))
  for (const [index, needed] of dependsOn.entries())
    if (withDependencies([needed], linked).includes(name))
      throw invalidValue({
        field: `body.spec.dependsOn.${index}`,
        given: needed,
        expected: `something that does not depend on ${name} itself`,
      })
}
