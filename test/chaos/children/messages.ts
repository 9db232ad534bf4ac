/** Where a process dies: at its n-th write, counted from 1. */
export interface Kill {
  at: number
  /** `during`: the process dies after the write was sent and before its answer. */
  moment: 'before' | 'during' | 'after'
}

/** A bug put into a process on purpose, to show that the checker finds it. */
export const breaks = ['double-claim', 'lost-order', 'orphan'] as const
export type Break = (typeof breaks)[number]

/** A set-up command that fails, as `exit 1` does in a guest that runs it. */
export const failingCommand = 'exit 1'

export interface Start {
  type: 'start'
  /** The configuration as the shipped program reads it. */
  environment: Record<string, string>
  /** Address of the agent's own link to NATS, which can be cut; replaces the one from the control plane. */
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
  /** The control plane listens on this port. */
  | { type: 'listening'; port: number }
  /** The break has taken place. */
  | { type: 'broken' }
