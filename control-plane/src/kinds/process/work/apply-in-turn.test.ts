import { newId } from '@hearth/foundation'
import { expect, test } from 'vitest'
import { transact } from '../../../database/transact.ts'
import { applyInTurn, idsOf } from '../../../work/apply-in-turn.ts'
import { World } from '../../world.fixture.ts'

test('reports of one row are applied in the order given, and none that is stale, of a stranger, or of what is gone', async () => {
  await using world = await World.create()
  const party = await world.party()
  const [runnerId, stranger] = [await party.runner(), await party.runner()]
  const row = (id: string) => ({
    id,
    runner_id: runnerId,
    spec_version: 1,
    report_epoch: 1,
    report_sequence: '1',
  })
  const [one, other] = [newId(), newId()]
  const report = (id: string, sequence: number, phase = 'going', from = runnerId) => ({
    ...{ kind: 'process' as const, id, runnerId: from, epoch: 1, generation: 1, sequence, phase },
    failure: null,
    reportedAt: '2026-01-01T12:00:00.000Z',
  })
  const reports = [
    report(one, 3),
    report(other, 2, 'deleted'),
    report(one, 2),
    report(one, 4, 'going', stranger),
    report(other, 3),
    report(one, 4),
    report(newId(), 2),
  ]
  expect(idsOf(reports).slice(0, 2)).toEqual([one, other])
  const applied: [string, number][] = []
  const outcomes = await transact(world.database, (tx) =>
    applyInTurn(tx, [row(one), row(other)], reports, async (before, { sequence, phase }) => {
      applied.push([before.id, sequence])
      return phase === 'deleted' ? null : { ...before, report_sequence: `${sequence}` }
    }),
  )
  expect(outcomes).toEqual(['applied', 'applied', 'stale', 'refused', 'refused', 'applied', 'refused'])
  expect(applied).toEqual([
    [one, 3],
    [other, 2],
    [one, 4],
  ])
})
