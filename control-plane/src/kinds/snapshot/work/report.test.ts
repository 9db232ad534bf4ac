import type { ReportedLayer } from '@hearth/contract'
import { describe, expect, it } from 'vitest'
import type { CopySource } from '../table.ts'
import { factsAfter, holderAfter, judgeReport, standingAfter } from './report.ts'

const row = { spec_version: 2, phase: 'creating' as const }
const holder = {
  runner_epoch: 3,
  runner_phase: 'active' as const,
  report_epoch: 3,
  report_sequence: '5',
  source: { kind: 'environment' as const, environmentId: 'e', memory: true },
}
const copySource: CopySource = {
  ...{ kind: 'runner', runnerId: 'r', address: null, grantId: 'g', endsAt: null },
  ...{ triedRunnerIds: [], isGivenUp: false },
}
const wanted = { phase: 'ready' as const, desired_phase: 'ready' as const }
const report = { epoch: 3, generation: 2, sequence: 6 }

describe('a report of a snapshot', () => {
  it('counts when it is of the runner that holds it, in its present lease, and newer than the last', () => {
    expect(judgeReport(row, holder, report)).toBe('applied')
    expect(judgeReport(row, { ...holder, report_epoch: 2, report_sequence: '9' }, report)).toBe('applied')
  })

  it('is stale when a newer one was taken in, or when it was seen before the newest order', () => {
    expect(judgeReport(row, holder, { ...report, sequence: 5 })).toBe('stale')
    expect(judgeReport(row, holder, { ...report, generation: 1 })).toBe('stale')
  })

  it('is refused of a runner that does not hold it, of another lease, of an order that was never given', () => {
    expect(judgeReport(row, undefined, report)).toBe('refused')
    expect(judgeReport(row, { ...holder, runner_phase: 'deleted' }, report)).toBe('refused')
    expect(judgeReport(row, { ...holder, runner_epoch: 4 }, report)).toBe('refused')
    expect(judgeReport(row, holder, { ...report, generation: 3 })).toBe('refused')
    expect(judgeReport({ ...row, phase: 'deleted' }, holder, report)).toBe('refused')
  })

  it('says what still stands on a layer that is to go, and ends the holder when it is gone', () => {
    const told = { progress: null, failure: null, keptBy: ['a machine'] }
    const after = (phase: 'deleting' | 'present' | 'deleted') =>
      holderAfter(wanted, { phase: 'deleting', failure: null, source: holder.source }, { ...told, phase })
    expect(after('deleting')).toMatchObject({ kept_by: ['a machine'] })
    expect(after('present')).toMatchObject({ kept_by: [] })
    expect(after('deleted')).toBeNull()
  })

  it('is stale when it is about an earlier attempt to copy the layer', () => {
    const copy = { ...holder, source: copySource }
    expect(judgeReport(row, copy, { ...report, grantId: 'g' })).toBe('applied')
    expect(judgeReport(row, copy, { ...report, grantId: 'before' })).toBe('stale')
    expect(judgeReport(row, copy, report)).toBe('stale')
  })

  it('keeps why a copy was given up while its runner removes what came', () => {
    const failure = { code: 'disk_full' as const, message: 'no room' }
    const told = { progress: null, failure: null, keptBy: [], phase: 'deleted' as const }
    const given = { phase: 'failed' as const, failure, source: { ...copySource, isGivenUp: true } }
    expect(holderAfter(wanted, given, told)).toMatchObject({ phase: 'failed', failure })
    expect(holderAfter({ ...wanted, desired_phase: 'deleted' }, given, told)).toBeNull()
    const again = { ...given, source: copySource }
    expect(holderAfter(wanted, again, { ...told, phase: 'copying' })).toMatchObject({ failure })
    expect(holderAfter(wanted, again, { ...told, phase: 'present' })).toMatchObject({ failure: null })
  })
})

const layer: ReportedLayer = {
  parentId: null,
  depth: 1,
  disk: { bytes: 100, digest: 'a'.repeat(64) },
  totalBytes: 300,
  virtualBytes: 4_000,
  memory: null,
  memoryFault: 'the machine is on a bridge',
  pausedMilliseconds: 52,
}

describe('a layer that is to stand on the image alone', () => {
  const now = new Date('2026-01-01T12:00:00Z')
  const flattening = { id: 'f', endsAt: '2026-01-01T12:00:01.000Z', failure: null }
  const failure = { code: 'disk_full' as const, message: 'no room' }
  const deep = { ...layer, parentId: 'p' }
  const progress = { doneBytes: 2, totalBytes: 3 }

  it('does so when its runner says so, and never before', () => {
    const after = (seen: ReportedLayer | null) =>
      standingAfter({ flattening, progress: null }, { layer: seen, progress: null }, now).is_flat
    expect([after(layer), after(deep), after(null)]).toEqual([true, false, false])
  })

  it('is waited for longer as long as it comes on', () => {
    const after = (doneBytes: number) =>
      standingAfter({ flattening, progress }, { layer: deep, progress: { ...progress, doneBytes } }, now)
    expect(after(2)).toEqual({ is_flat: false, flattening })
    expect(after(3).flattening).toEqual({ ...flattening, endsAt: '2026-01-01T12:10:00.000Z' })
  })

  it('cannot when its runner refuses, but not by what was said of an earlier wish', () => {
    const after = (id: string) =>
      standingAfter(
        { flattening, progress: null },
        { layer: deep, progress: null, unflattened: { id, failure } },
        now,
      )
    expect(after('f').flattening).toEqual({ ...flattening, failure })
    expect(after('before').flattening).toEqual(flattening)
  })
})

describe('the facts of a snapshot', () => {
  const status = { bytes: null, memory: null, pausedMilliseconds: null } as never

  it('say why there is no memory, but only where it was asked for', () => {
    const of = (memory: boolean) => factsAfter({ spec: { memory }, status }, layer)
    expect(of(true).memory).toEqual({ kept: false, reason: 'the machine is on a bridge' })
    expect(of(false).memory).toEqual({ kept: false, reason: null })
    expect(of(true).bytes).toEqual({ own: 100, total: 300, memory: 0 })
  })

  it('stay when a report says nothing of the layer', () => {
    expect(factsAfter({ spec: { memory: true }, status }, null)).toEqual({
      bytes: null,
      memory: null,
      pausedMilliseconds: null,
    })
  })
})
