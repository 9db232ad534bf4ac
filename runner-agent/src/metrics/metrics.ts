import type { StepStatus } from '@hearth/contract'
import type { Stall } from '@hearth/foundation'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export interface AgentMetrics {
  readonly registry: Registry
  stepEnded(step: StepStatus): void
  stalled(stall: Stall): void
}

/** The agent's metrics for Prometheus. */
export function createMetrics(now: { environments(): number; pendingReports(): number }): AgentMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  new Gauge({
    name: 'hearth_agent_environments',
    help: 'Environments this agent looks after',
    registers,
    collect() {
      this.set(now.environments())
    },
  })
  new Gauge({
    name: 'hearth_agent_pending_reports',
    help: 'Environments with a report that is not stored yet',
    registers,
    collect() {
      this.set(now.pendingReports())
    },
  })
  const ended = new Counter({
    name: 'hearth_agent_steps_total',
    help: 'Provisioning steps that are over, by name and phase',
    labelNames: ['step', 'phase'],
    registers,
  })
  const seconds = new Histogram({
    name: 'hearth_agent_step_seconds',
    help: 'How long provisioning steps took',
    labelNames: ['step'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800],
    registers,
  })
  const stalls = new Histogram({
    name: 'hearth_event_loop_stall_seconds',
    help: 'How long the event loop stood still, over 50 ms: busy, or waiting for its machine',
    labelNames: ['cause'],
    buckets: [0.1, 0.25, 0.5, 1, 5, 30],
    registers,
  })
  return {
    registry,
    stalled: ({ cause, milliseconds }) => stalls.observe({ cause }, milliseconds / 1000),
    stepEnded: ({ name, phase, durationMilliseconds }) => {
      ended.inc({ step: name, phase })
      if (durationMilliseconds !== null) seconds.observe({ step: name }, durationMilliseconds / 1000)
    },
  }
}
