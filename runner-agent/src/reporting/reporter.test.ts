import type { ReportEnvelope } from '@hearth/contract'
import { FixedClock } from '@hearth/foundation'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { type ReportContent, Reporter } from './reporter.ts'

const id = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'
const content = (phase: ReportContent['phase'], environmentId = id): ReportContent => ({
  kind: 'environment',
  id: environmentId,
  generation: 1,
  phase,
  failure: null,
})

function setUp(publishReport: (report: ReportEnvelope) => Promise<void>, pauseMilliseconds = 0) {
  const stop = new AbortController()
  const clock = new FixedClock(new Date('2026-01-01T00:00:00Z'))
  const log = pino({ enabled: false })
  return new Reporter(
    { publishReport },
    { runnerId: id, epoch: 1 },
    clock,
    log,
    stop.signal,
    pauseMilliseconds,
  )
}

test('outdated reports are not sent, the last one always is, and sequences rise', async () => {
  const sent: ReportEnvelope[] = []
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const reporter = setUp(async (report) => {
    sent.push(report)
    if (sent.length === 1) await held
  })
  void reporter.report(content('provisioning'))
  void reporter.report(content('starting'))
  void reporter.report(content('stopping'))
  const last = reporter.report(content('running'))
  release()
  await last
  expect(sent.map(({ phase }) => phase)).toEqual(['provisioning', 'running'])
  expect(sent.map(({ sequence }) => sequence)).toEqual([1, 2])
})

test('a report that is not stored is sent again, as a newer one if there is one', async () => {
  const tried: string[] = []
  const reporter = setUp(async ({ phase }) => {
    tried.push(phase)
    if (tried.length < 3) throw new Error('no answer')
  })
  void reporter.report(content('provisioning'))
  await reporter.report(content('running'))
  expect(tried.at(-1)).toBe('running')
  expect(reporter.pending).toBe(0)
})

test('failures of one environment do not delay another', async () => {
  const other = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a12'
  const reporter = setUp((report) => (report.id === id ? new Promise(() => undefined) : Promise.resolve()))
  void reporter.report(content('running'))
  await reporter.report(content('running', other))
  expect(reporter.pending).toBe(1)
})

const hour = 3_600_000

test('progress waits, and a result goes at once in its place', async () => {
  const sent: string[] = []
  const reporter = setUp(async ({ phase }) => void sent.push(phase), hour)
  void reporter.report(content('provisioning'), 'progress')
  void reporter.report(content('starting'), 'progress')
  expect(await reporter.report(content('running'))).toBe(1)
  expect(sent).toEqual(['running'])
})

test('progress is reported after its pause, the newest of what came meanwhile', async () => {
  const sent: string[] = []
  const reporter = setUp(async ({ phase }) => void sent.push(phase), 20)
  void reporter.report(content('provisioning'), 'progress')
  expect(await reporter.report(content('starting'), 'progress')).toBe(1)
  expect(sent).toEqual(['starting'])
})

test('an agent that stops reports the progress that still waits', async () => {
  const sent: string[] = []
  const reporter = setUp(async ({ phase }) => void sent.push(phase), hour)
  void reporter.report(content('provisioning'), 'progress')
  await reporter.flush()
  expect(sent).toEqual(['provisioning'])
})
