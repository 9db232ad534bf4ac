import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** All metrics of the control plane; names and units follow the Prometheus conventions. */
export class Metrics {
  readonly registry = new Registry()

  readonly requestSeconds = new Histogram({
    name: 'hearth_http_request_duration_seconds',
    help: 'Time to answer a request, by route.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers: [this.registry],
  })
  readonly reconcileSeconds = new Histogram({
    name: 'hearth_reconcile_duration_seconds',
    help: 'Time of one reconcile, by kind.',
    labelNames: ['kind', 'outcome'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 2],
    registers: [this.registry],
  })
  readonly claims = new Counter({
    name: 'hearth_claims_total',
    help: 'Claims by what they got: running, cold or refused.',
    labelNames: ['outcome'],
    registers: [this.registry],
  })
  readonly reports = new Counter({
    name: 'hearth_reports_total',
    help: 'Reports of runners: applied, stale, refused, or unusable and dropped.',
    labelNames: ['outcome'],
    registers: [this.registry],
  })
  readonly messagesSetAside = new Counter({
    name: 'hearth_messages_set_aside_total',
    help: 'Messages that were dropped while all others went on, by kind: what a runner sent has the wrong form, is too much, or is of a kind of work that only a newer version knows; or an event is too large for NATS.',
    labelNames: ['kind'],
    registers: [this.registry],
  })
  readonly publishSeconds = new Histogram({
    name: 'hearth_publish_delay_seconds',
    help: 'From the commit of an event to its publication.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers: [this.registry],
  })
  readonly observers = new Gauge({
    name: 'hearth_event_observers',
    help: 'Open streams of events, by transport.',
    labelNames: ['transport'],
    registers: [this.registry],
  })
  readonly observersEnded = new Counter({
    name: 'hearth_event_streams_ended_total',
    help: 'Streams of events that were ended here, by reason: slow, gap, tokenEnded, stopping or failed.',
    labelNames: ['reason'],
    registers: [this.registry],
  })
  readonly stallSeconds = new Histogram({
    name: 'hearth_event_loop_stall_seconds',
    help: 'How long the event loop stood still, over 50 ms: busy, or waiting for its machine.',
    labelNames: ['cause'],
    buckets: [0.1, 0.25, 0.5, 1, 5, 30],
    registers: [this.registry],
  })
  readonly messagingConnected = new Gauge({
    name: 'hearth_messaging_connected',
    help: '1 while connected to NATS.',
    registers: [this.registry],
  })

  constructor() {
    collectDefaultMetrics({ register: this.registry })
  }
}
