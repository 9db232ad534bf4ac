import type { PrebuildTemplate, QuotaLimits } from '@hearth/contract'
import { assertNever, type Clock } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { wake } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import { desireDeletion, environments } from '../../environment/index.ts'
import { prebuilds } from '../queries.ts'
import { freezePrebuild, removeSnapshots } from '../snapshotting.ts'
import { type PrebuildRow, toPrebuild } from '../table.ts'
import { bootTemplate } from './boot.ts'
import { failedTemplate, type TemplateAction } from './decide.ts'

/** Does what follows for one template. The prebuild comes back unchanged where there is no room for its machine now. */
export async function carryOutTemplate(
  tx: DatabaseTransaction,
  row: PrebuildRow,
  action: TemplateAction,
  { quotas, clock }: { quotas: QuotaLimits; clock: Clock },
): Promise<PrebuildRow> {
  if (action.do === 'boot') return bootFirst(tx, row, action.runnerIds, quotas, clock.now())
  const { runnerId } = action
  const template = templateOn(row, runnerId)
  if (template === undefined) throw new Error(`prebuild ${row.id} has no template on ${runnerId}`)
  switch (action.do) {
    case 'freeze': {
      const machine = await environments.lockById(tx, template.environmentId ?? '')
      if (machine === undefined) throw new Error(`a template of prebuild ${row.id} has no machine`)
      const snapshotId = await freezePrebuild(tx, clock, machine, {
        name: `${row.name}-memory`,
        memory: true,
        standsOn: row.snapshot_id,
      })
      return write(tx, row, runnerId, { ...template, phase: 'freezing', snapshotId })
    }
    case 'keep':
      await removeMachine(tx, template, clock.now())
      return write(tx, row, runnerId, { ...template, phase: 'ready', failure: null })
    case 'fail': {
      await removeAll(tx, template, clock.now())
      return write(tx, row, runnerId, failedTemplate(template, action.failure, clock.now()))
    }
    case 'drop':
      await removeAll(tx, template, clock.now())
      return write(tx, row, runnerId, null)
    default:
      return assertNever(action)
  }
}

const templateOn = ({ status }: PrebuildRow, runnerId: string) =>
  status.templates.find((one) => one.runnerId === runnerId)

async function bootFirst(
  tx: DatabaseTransaction,
  row: PrebuildRow,
  runnerIds: readonly string[],
  quotas: QuotaLimits,
  now: Date,
): Promise<PrebuildRow> {
  for (const runnerId of runnerIds) {
    const environmentId = await bootTemplate(tx, row, runnerId, quotas, now)
    if (environmentId === null) continue
    // Why it failed before stays until it has succeeded.
    const { failure, failures } = templateOn(row, runnerId) ?? { failure: null, failures: 0 }
    const template = { runnerId, environmentId, snapshotId: null, failure, failures, retryAt: null }
    return write(tx, row, runnerId, { ...template, phase: 'booting' })
  }
  return row
}

async function removeMachine(
  tx: DatabaseTransaction,
  { environmentId }: PrebuildTemplate,
  now: Date,
): Promise<void> {
  const machine = environmentId === null ? undefined : await environments.lockById(tx, environmentId)
  if (machine !== undefined && machine.phase !== 'deleted')
    await desireDeletion(tx, machine, { reason: 'prebuild_over' }, now)
}

async function removeAll(tx: DatabaseTransaction, template: PrebuildTemplate, now: Date): Promise<void> {
  await removeMachine(tx, template, now)
  await removeSnapshots(tx, template.snapshotId === null ? [] : [template.snapshotId], now)
}

async function write(
  tx: DatabaseTransaction,
  row: PrebuildRow,
  runnerId: string,
  template: PrebuildTemplate | null,
): Promise<PrebuildRow> {
  const others = row.status.templates.filter((one) => one.runnerId !== runnerId)
  const templates = template === null ? others : [...others, template]
  const changed = await prebuilds.changeStatus(tx, row.id, { status: { ...row.status, templates } })
  await recordEvent(tx, 'updated', toPrebuild(changed, null))
  await wake(tx, 'prebuild', row.id)
  return changed
}
