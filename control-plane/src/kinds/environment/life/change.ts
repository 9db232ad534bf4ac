import type { LifeCap, LifeSpec } from '@hearth/contract'
import { HearthError, invalidValue, spokenTime } from '@hearth/foundation'
import { refuseLongLife } from '../../../api/life-cap.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import type { EnvironmentRow } from '../table.ts'
import { writeLife } from './act.ts'
import { extendLife } from './extend.ts'
import { activeAt, changedLife, isLifetimeOver } from './life.ts'
import { spokenOver, spokenSpan } from './words.ts'

/**
 * Puts the ends of a machine off. The row must have been read under lock. Throws `conflict` where there is nothing to put
 * off any more, and `invalid` over the cap.
 */
export async function extend(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  seconds: number,
  now: Date,
): Promise<EnvironmentRow> {
  const { life } = row
  if (row.desired_phase === 'deleted') {
    const because =
      life?.over == null ? 'it is being deleted' : `it is deleted, because ${spokenOver(life.over)}`
    throw new HearthError('conflict', `environment ${row.name} cannot be kept longer: ${because}`)
  }
  if (life === null)
    throw new HearthError('conflict', `environment ${row.name} has no end that could be put off`)
  const extended = extendLife(life, seconds, now)
  if ('life' in extended) return writeLife(tx, row, extended.life, now, 'with an event')
  const { mostSeconds, cap, capSeconds } = extended
  const limits = {
    lifetime: `its organization lets machines live for ${spokenSpan(capSeconds)}, and this one began at ${spokenTime(life.beganAt)}`,
    idle: `its organization lets machines be unused for ${spokenSpan(capSeconds)}`,
    none: `no end is put off by more than ${spokenSpan(capSeconds)} from now`,
  }
  const limit = limits[cap]
  throw invalidValue({
    field: 'body.seconds',
    given: String(seconds),
    expected:
      mostSeconds < 1
        ? `left out, since it cannot be kept longer: ${limit}`
        : `at most ${mostSeconds}: ${limit}`,
  })
}

/**
 * Changes how long a machine lives that somebody has. The row must have been read under lock. Throws `conflict` for one that
 * nobody has, and `invalid` for a span over the cap or a lifetime that would be over.
 */
export async function changeLife(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  said: LifeSpec,
  cap: LifeCap,
  now: Date,
): Promise<EnvironmentRow> {
  if (row.desired_phase === 'deleted')
    throw new HearthError('conflict', `environment ${row.name} is being deleted`)
  if (row.claim_id === null && row.owner_kind !== null)
    throw new HearthError(
      'conflict',
      `environment ${row.name} is nobody’s: only what somebody has has an end`,
    )
  refuseLongLife(said, cap, 'body.spec.life')
  const life = changedLife(row.life, said, cap, now)
  if (life !== null && said.lifetimeSeconds !== undefined && isLifetimeOver(life, now))
    throw invalidValue({
      field: 'body.spec.life.lifetimeSeconds',
      given: String(said.lifetimeSeconds),
      expected: `more than the ${spokenSpan(Math.ceil((now.getTime() - Date.parse(life.beganAt)) / 1000))} that it has lived`,
    })
  return writeLife(tx, row, life, now, 'with an event')
}

/** Notes that somebody uses the machine now; an end that was announced for idleness is put off with an event. */
export async function noteActivity(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  now: Date,
): Promise<EnvironmentRow> {
  if (row.desired_phase === 'deleted')
    throw new HearthError('conflict', `environment ${row.name} is being deleted`)
  if (row.life === null) return row
  const how = row.life.announced.idle === undefined ? 'quietly' : 'with an event'
  const { idle: _, ...announced } = row.life.announced
  return writeLife(tx, row, { ...activeAt(row.life, now, now), announced }, now, how)
}

/** Throws `conflict` for a machine whose lifetime is over: what runs past it would be ended again at once. */
export function refusePastLife({ life, name }: Pick<EnvironmentRow, 'life' | 'name'>, now: Date): void {
  if (life?.endsAt == null || !isLifetimeOver(life, now)) return
  throw new HearthError(
    'conflict',
    `environment ${name} does not run any more: its lifetime ended at ${spokenTime(life.endsAt)}; extend it first, as by \`hearth extend ${name}\``,
  )
}
