import { type TargetReport, type TargetState, targetReportSchema } from '@hearth/contract'
import { expect, test } from 'vitest'
import { afterReports } from './reported.ts'
import { later, start, target } from './session.fixture.ts'

const report = (state: object, type: 'job' | 'server' = 'job'): TargetReport =>
  targetReportSchema.parse({ name: 'a', type, state })
/** The state of one target after these reports, a second apart. */
function after(...reports: TargetReport[]): TargetState | undefined {
  const [last] = reports.reduce(
    (before, one, index) => afterReports(before, [one], later(index)),
    [] as ReturnType<typeof afterReports>,
  )
  return last?.state
}
const time = (seconds: number) => later(seconds).toISOString()

test('times that are not given are those of the reports', () => {
  expect(
    after(report({ kind: 'waiting' }), report({ kind: 'active' }), report({ kind: 'terminated' })),
  ).toEqual({
    kind: 'terminated',
    startedAt: time(1),
    finishedAt: time(2),
    error: null,
    grace: null,
  })
  expect(after(report({ kind: 'terminated' }))).toMatchObject({ startedAt: time(0), finishedAt: time(0) })
})

test('times that are given count, to the millisecond', () => {
  const startedAt = '2026-01-01T11:59:00.123456789Z'
  expect(after(report({ kind: 'active', startedAt }), report({ kind: 'terminated' }))).toMatchObject({
    startedAt: '2026-01-01T11:59:00.123Z',
    finishedAt: time(1),
  })
})

test('a server says when it was last ready, also when it is not any more; a job is never ready', () => {
  const ready = report({ kind: 'active', ready: true }, 'server')
  const lapsed = report({ kind: 'active' }, 'server')
  expect(after(lapsed)).toMatchObject({ ready: false, lastReadyAt: null })
  expect(after(lapsed, ready)).toMatchObject({ startedAt: time(0), ready: true, lastReadyAt: time(1) })
  expect(after(lapsed, ready, ready)).toMatchObject({ lastReadyAt: time(1) })
  expect(after(lapsed, ready, ready, lapsed)).toMatchObject({ ready: false, lastReadyAt: time(1) })
  expect(after(report({ kind: 'active', ready: true }))).toMatchObject({ ready: false, lastReadyAt: null })
})

test('the end of a server is an error, whatever is reported of it; an empty error is none', () => {
  expect(after(report({ kind: 'terminated' }, 'server'))).toMatchObject({
    error: 'it ended, and was to run on',
  })
  expect(after(report({ kind: 'terminated', error: 'crash' }, 'server'))).toMatchObject({ error: 'crash' })
  expect(after(report({ kind: 'terminated', error: '' }))).toMatchObject({ error: null })
})

test('targets that are not named stay as they are', () => {
  const before = [target('a', 'active'), target('b', 'failed')]
  const [a, b] = afterReports(before, [report({ kind: 'none' })], start)
  expect(a).toMatchObject({ name: 'a', state: { kind: 'none' } })
  expect(b).toEqual(before[1])
})
