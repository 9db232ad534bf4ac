import { z } from 'zod'
import { rests, type Wait } from './kind-definition.ts'

export const prebuildPhases = [
  'pending',
  'starting',
  'running',
  'stopping',
  'snapshotting',
  'completed',
  'failed',
  'cancelling',
  'cancelled',
  'deleting',
  'deleted',
] as const
export const prebuildPhaseSchema = z.enum(prebuildPhases)
export type PrebuildPhase = z.infer<typeof prebuildPhaseSchema>

/** What somebody wants of a prebuild: it never goes back from a later one of these to an earlier one. */
export const prebuildDesiredPhaseSchema = z.enum(['completed', 'cancelled', 'deleted'])
export type PrebuildDesiredPhase = z.infer<typeof prebuildDesiredPhaseSchema>

interface PrebuildPhaseRule {
  /** Where it may go from here. */
  to: readonly PrebuildPhase[]
  wait: Wait
  /** Whether its own timeout runs. */
  isTimed: boolean
}

/** Of the phases between the start and the end of the work. */
const timed = (waitsFor: string): Pick<PrebuildPhaseRule, 'wait' | 'isTimed'> => ({
  wait: {
    waitsFor,
    deadlineSeconds: null,
    because: 'the timeout of the prebuild ends it, which runs from its start to its end',
  },
  isTimed: true,
})
const waits = (waitsFor: string, deadlineSeconds: number): Pick<PrebuildPhaseRule, 'wait' | 'isTimed'> => ({
  wait: { waitsFor, deadlineSeconds },
  isTimed: false,
})
const ended: Pick<PrebuildPhaseRule, 'wait' | 'isTimed'> = { wait: rests, isTimed: false }

/** The total table: a phase that is not here does not compile, a move that is not here is refused. */
export const prebuildPhaseTable: Readonly<Record<PrebuildPhase, PrebuildPhaseRule>> = {
  pending: {
    to: ['starting', 'failed', 'cancelled', 'deleting'],
    ...waits('its turn among the prebuilds of its project and class, and for room in the quotas', 14_400),
  },
  starting: {
    to: ['running', 'failed', 'cancelling', 'deleting'],
    ...timed('its environment to answer'),
  },
  running: {
    to: ['stopping', 'failed', 'cancelling', 'deleting'],
    ...timed('the steps of the project, and the tasks that prebuilds run, to end'),
  },
  stopping: {
    to: ['snapshotting', 'failed', 'cancelling', 'deleting'],
    ...timed('its environment to be scrubbed and shut down'),
  },
  snapshotting: {
    to: ['completed', 'failed', 'cancelling', 'deleting'],
    ...timed('its disk to be frozen and searched for secrets'),
  },
  completed: { to: ['deleting'], ...ended },
  failed: { to: ['deleting'], ...ended },
  cancelling: {
    to: ['cancelled', 'deleting'],
    ...waits('its environment and its snapshot to be removed', 600),
  },
  cancelled: { to: ['deleting'], ...ended },
  deleting: {
    to: ['deleted'],
    ...waits('its environments and its snapshots to be removed', 600),
  },
  deleted: { to: [], ...ended },
}

export function mayMovePrebuild(from: PrebuildPhase, to: PrebuildPhase): boolean {
  return prebuildPhaseTable[from].to.includes(to)
}

/** Whether work is being done for it, so that another of its project and class waits. */
export function isPrebuildActive(phase: PrebuildPhase): boolean {
  return prebuildPhaseTable[phase].isTimed || phase === 'cancelling'
}

/** Whether it has ended and rests, until somebody deletes it. */
export function isPrebuildEnded(phase: PrebuildPhase): boolean {
  return phase === 'completed' || phase === 'failed' || phase === 'cancelled'
}
