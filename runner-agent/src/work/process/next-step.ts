import type { Failure, ProcessOrder } from '@hearth/contract'
import type { KnownRun } from '../../guest/process.ts'
import type { Machine } from '../../host/machine.ts'
import { refusal } from '../fencing.ts'
import type { CommonStep } from '../work.ts'
import { pauseBefore } from './restarts.ts'

export type ProcessStep =
  | { kind: 'start'; number: number; restarts: number }
  | { kind: 'follow' }
  | { kind: 'pause'; milliseconds: number }
  | { kind: 'stop' }
  | { kind: 'tell'; wish: string }
  | { kind: 'forget' }

export type ProcessReportPhase =
  | 'waiting'
  | 'starting'
  | 'running'
  | 'restarting'
  | 'stopping'
  | 'ended'
  | 'failed'
  | 'deleted'

/** What is known of the process on this host. */
export interface SeenProcess {
  machine: Pick<Machine, 'power' | 'ownership'>
  /** The newest run in the guest; null where it has none, or nothing is known since the machine does not run. */
  run: KnownRun | null
  /** Whether its end was read from the guest, with what it printed. */
  isRead: boolean
  isForgotten: boolean
  /** What the guest was told that is wished; null for nothing. */
  toldWish: string | null
  failure: Failure | null
  /** The generation of the order that failed. */
  failedGeneration: number
  /** Milliseconds since 1970, on the agent's clock. */
  now: number
  /** When the present run was seen to end, on the same clock. */
  endedAt: number | null
}

/** The next step towards what is ordered. Pure. */
export function nextStep(
  order: ProcessOrder,
  seen: SeenProcess,
): ProcessStep | CommonStep<ProcessReportPhase> {
  const { machine, run } = seen
  const refused =
    machine.ownership === null
      ? null
      : refusal('the machine', order, { epoch: machine.ownership.epoch, generation: 0 })
  if (refused !== null) return refused
  const isOn = machine.power === 'running' && machine.ownership !== null
  if (order.desired === 'deleted') return nextOfDeletion(seen, isOn)
  if (seen.failure !== null && seen.failedGeneration === order.generation)
    return { kind: 'rest', phase: 'failed', failure: seen.failure }
  if (!isOn) {
    // What is suspended goes on when its machine does.
    const isKept = machine.power === 'paused' || machine.power === 'suspended'
    return rest(order.desired === 'stop' && !isKept ? 'ended' : 'waiting')
  }
  const isRunning = run !== null && run.ending === null
  if (order.desired === 'stop' && isRunning) return { kind: 'stop' }
  // It ended while nobody followed it.
  if (run !== null && !isRunning && !seen.isRead) return { kind: 'follow' }
  if (order.desired === 'stop') return rest('ended')
  // It is there before a run that reads it.
  if (order.wish !== null && order.wish !== seen.toldWish) return { kind: 'tell', wish: order.wish }
  if (run === null || run.request < order.request) {
    if (isRunning) return { kind: 'stop' }
    return { kind: 'start', number: Math.max(order.runs, run?.number ?? 0) + 1, restarts: 0 }
  }
  if (isRunning) return { kind: 'follow' }
  return nextAfter(order, run, seen)
}

function nextOfDeletion(
  { machine, run, isForgotten }: SeenProcess,
  isOn: boolean,
): ProcessStep | CommonStep<ProcessReportPhase> {
  if (machine.power === 'paused' || machine.power === 'suspended') return rest('waiting')
  if (!isOn || isForgotten) return rest('deleted')
  return run !== null && run.ending === null ? { kind: 'stop' } : { kind: 'forget' }
}

/** After a run that ended: the next one, now or after a pause, by the restart policy. */
function nextAfter(
  order: ProcessOrder,
  run: KnownRun,
  seen: SeenProcess,
): ProcessStep | CommonStep<ProcessReportPhase> {
  const pause = pauseBefore(order.restart, order.type, run)
  if (pause === null) return rest('ended')
  // A clock that was set back prolongs no pause.
  const left = Math.min(pause.milliseconds, (seen.endedAt ?? seen.now) + pause.milliseconds - seen.now)
  if (left > 0) return { kind: 'pause', milliseconds: left }
  return { kind: 'start', number: Math.max(order.runs, run.number) + 1, restarts: pause.restarts }
}

const rest = (phase: ProcessReportPhase) => ({ kind: 'rest', phase, failure: null }) as const
