import type { Kill } from '../children/messages.ts'

interface At {
  /** When it begins, in milliseconds after the start of the work. */
  at: number
}
interface For extends At {
  /** How long it lasts, in milliseconds. */
  lasts: number
}
interface OnRunner {
  /** Index of the runner, from 0. */
  runner: number
}

/** The plan of a run as data: a failed run prints it, and its seed reproduces it. */
export type Fault =
  | ({ kind: 'control plane killed at a write'; kills: Kill[] } & At)
  | ({ kind: 'control plane killed' } & At)
  | ({ kind: 'control plane paused' } & For)
  | ({ kind: 'control plane cut from NATS' } & For)
  | { kind: 'second control plane' }
  | ({ kind: 'agent killed at a step'; kills: Kill[] } & At & OnRunner)
  | ({ kind: 'agent killed' } & At & OnRunner)
  | ({ kind: 'agent paused' } & For & OnRunner)
  | ({ kind: 'second agent of one identity' } & At & OnRunner)
  | ({ kind: 'steps taken twice' } & OnRunner)
  | ({ kind: 'host partitioned'; reset: boolean } & For & OnRunner)
  | ({ kind: 'disk full' } & For & OnRunner)
  | ({ kind: 'NATS killed' } & For)
  | ({ kind: 'NATS restarted empty' } & For)
  /** The server returns with the data from the beginning of the fault, and without everything later. */
  | ({ kind: 'NATS restarted older' } & For)
  | { kind: 'messages repeated and reordered'; share: number }
  | ({ kind: 'messages delayed'; milliseconds: number } & For)
  | ({ kind: 'PostgreSQL connections cut'; times: number } & At)
  | ({ kind: 'PostgreSQL restarted' } & At)
  | ({ kind: 'clock of the control plane jumped'; milliseconds: number } & For)
  | ({ kind: 'clock of an agent jumped'; milliseconds: number } & For & OnRunner)

export type FaultKind = Fault['kind']
