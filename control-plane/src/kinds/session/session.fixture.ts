import type { SessionTarget, TargetState, TargetType } from '@hearth/contract'
import type { ExitGround } from './exit.decide.ts'

export const start = new Date('2026-01-01T12:00:00Z')
export const later = (seconds: number) => new Date(start.getTime() + seconds * 1_000)
const at = (seconds: number) => later(seconds).toISOString()

export const states = {
  none: { kind: 'none' },
  disabled: { kind: 'disabled' },
  waiting: { kind: 'waiting', reason: 'queued', message: null },
  active: { kind: 'active', startedAt: at(0), ready: false, lastReadyAt: null },
  ready: { kind: 'active', startedAt: at(0), ready: true, lastReadyAt: at(5) },
  lapsed: { kind: 'active', startedAt: at(0), ready: false, lastReadyAt: at(60) },
  well: { kind: 'terminated', startedAt: at(0), finishedAt: at(10), error: null, grace: null },
  failed: { kind: 'terminated', startedAt: at(0), finishedAt: at(10), error: 'exit code 3', grace: null },
  retrying: { kind: 'terminated', startedAt: at(0), finishedAt: at(10), error: 'crash', grace: 'tolerated' },
  exceeded: { kind: 'terminated', startedAt: at(0), finishedAt: at(10), error: 'crash', grace: 'exceeded' },
} as const satisfies Record<string, TargetState>
export type StateName = keyof typeof states
export const stateNames = Object.keys(states) as StateName[]

export const target = (name: string, state: StateName, type: TargetType = 'job'): SessionTarget => ({
  name,
  type,
  resources: [name],
  state: states[state],
})

/** A session of CI that began a minute ago, with the limits that it has unless it says otherwise. */
export const ground = (targets: SessionTarget[], change: Partial<ExitGround> = {}): ExitGround => ({
  exitCondition: 'ci',
  ci: { gracePeriodSeconds: null, timeoutSeconds: 1_800, readinessTimeoutSeconds: 300 },
  startedAt: start,
  machineError: null,
  targets,
  now: later(60),
  ...change,
})
