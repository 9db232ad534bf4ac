import { volumePhases, volumeReportPhases } from '@hearth/contract'
import { describe, expect, test } from 'vitest'
import { emptyVolumeStatus } from '../table.ts'
import { afterReport } from './report.ts'

const row = { phase: 'attaching' as const, spec_version: 3, status: emptyVolumeStatus }
const said = {
  phase: 'attached' as const,
  failure: null,
  generation: 3,
  isMade: true,
  attachedTo: '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11',
  isMounted: true,
  usedMebibytes: 5,
}

test('what its host says of the newest wish is how a volume stands', () => {
  const { phase, status } = afterReport(row, said)
  expect(phase).toBe('attached')
  expect(status).toMatchObject({ isMade: true, isMounted: true, usedMebibytes: 5, observedSpecVersion: 3 })
})

test('what it says of an earlier one moves nothing, and is known all the same', () => {
  const { phase, status } = afterReport(row, { ...said, generation: 2, phase: 'available' })
  expect([phase, status.attachedTo]).toEqual(['attaching', said.attachedTo])
})

test('a disk that was there stays known as such', () => {
  const made = { ...row, status: { ...emptyVolumeStatus, isMade: true } }
  const failure = { code: 'volume_missing' as const, message: 'gone' }
  const { phase, status } = afterReport(made, { ...said, phase: 'failed', failure, isMade: false })
  expect([phase, status.isMade, status.failure?.code]).toEqual(['failed', true, 'volume_missing'])
})

describe('one that is being deleted is gone by the word of its host alone', () => {
  test.each(volumeReportPhases)('%s', (phase) => {
    const after = afterReport({ ...row, phase: 'deleting' }, { ...said, phase })
    expect([after.isGone, after.phase]).toEqual([phase === 'deleted', 'deleting'])
  })
})

test('no report makes one gone that is wanted', () => {
  for (const phase of volumePhases.filter((each) => each !== 'deleting'))
    for (const told of volumeReportPhases)
      expect(afterReport({ ...row, phase }, { ...said, phase: told }).isGone).toBe(false)
})
