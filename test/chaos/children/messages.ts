/** Where in the work of a process it dies: at its n-th write, counted from 1. */
export interface Kill {
  at: number
  /** `during`: sent, and dead before the answer. */
  moment: 'before' | 'during' | 'after'
}

/** A fault put into a process on purpose, so that the checker can show that it finds it. */
export const breaks = ['double-claim', 'lost-order', 'orphan'] as const
export type Break = (typeof breaks)[number]

export interface Start {
  type: 'start'
  /** As the shipped program reads it. */
  environment: Record<string, string>
  /** Instead of what the control plane tells an agent: its own way to NATS, which can be cut. */
  natsServer: string | null
  kill: Kill | null
  break: Break | null
  clockOffsetMilliseconds: number
  /** Each step of a host is taken twice. */
  stepsTwice: boolean
  diskFull: boolean
}

export type ToChild = Start | { type: 'clock'; offsetMilliseconds: number } | { type: 'disk'; full: boolean }

export type FromChild =
  | { type: 'loaded' }
  /** Of a control plane: it answers on this port. */
  | { type: 'listening'; port: number }
  /** The break has taken place. */
  | { type: 'broken' }
