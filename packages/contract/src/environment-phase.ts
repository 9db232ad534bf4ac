import { z } from 'zod'

export const environmentPhases = [
  'pending',
  'provisioning',
  'running',
  'stopping',
  'stopped',
  'starting',
  'suspending',
  'suspended',
  'resuming',
  'failed',
  'deleting',
  'deleted',
] as const
export const environmentPhaseSchema = z.enum(environmentPhases)
export type EnvironmentPhase = z.infer<typeof environmentPhaseSchema>

export const desiredPhaseSchema = z.enum(['running', 'stopped', 'suspended', 'deleted'])
export type DesiredPhase = z.infer<typeof desiredPhaseSchema>

interface PhaseRule {
  /** Where it may go from here. */
  to: readonly EnvironmentPhase[]
  /** How long it may wait here, in seconds; null where nothing is waited for. */
  deadlineSeconds: number | null
  /** Named in the failure when the deadline passes. */
  waitsFor: string | null
}

/** The total table: a phase that is not here does not compile, a move that is not here is refused. */
export const environmentPhaseTable: Readonly<Record<EnvironmentPhase, PhaseRule>> = {
  pending: {
    to: ['provisioning', 'failed', 'deleting', 'deleted'],
    deadlineSeconds: 900,
    waitsFor: 'a runner with room for it',
  },
  provisioning: {
    to: ['running', 'failed', 'deleting'],
    deadlineSeconds: 14_400,
    waitsFor: 'its runner to finish the provisioning steps',
  },
  running: {
    to: ['stopping', 'stopped', 'starting', 'suspending', 'suspended', 'failed', 'deleting'],
    deadlineSeconds: null,
    waitsFor: null,
  },
  stopping: {
    to: ['stopped', 'running', 'failed', 'deleting'],
    deadlineSeconds: 300,
    waitsFor: 'the guest to shut down',
  },
  stopped: {
    to: ['starting', 'running', 'suspended', 'failed', 'deleting'],
    deadlineSeconds: null,
    waitsFor: null,
  },
  starting: {
    to: ['running', 'stopping', 'stopped', 'suspending', 'suspended', 'failed', 'deleting'],
    deadlineSeconds: 600,
    waitsFor: 'the guest to start and answer',
  },
  suspending: {
    to: ['suspended', 'running', 'stopping', 'stopped', 'starting', 'failed', 'deleting'],
    deadlineSeconds: 1_800,
    waitsFor: 'its memory to be written to the disk of its host',
  },
  suspended: {
    to: ['resuming', 'running', 'starting', 'stopping', 'stopped', 'failed', 'deleting'],
    deadlineSeconds: null,
    waitsFor: null,
  },
  resuming: {
    // A guest whose memory is of no use boots.
    to: ['running', 'starting', 'suspending', 'suspended', 'stopping', 'stopped', 'failed', 'deleting'],
    deadlineSeconds: 1_800,
    waitsFor: 'the guest to go on from its memory and answer',
  },
  failed: {
    to: ['pending', 'provisioning', 'starting', 'resuming', 'deleting', 'deleted'],
    deadlineSeconds: null,
    waitsFor: null,
  },
  deleting: {
    to: ['deleted', 'failed'],
    deadlineSeconds: 600,
    waitsFor: 'its runner to remove the machine and its disk',
  },
  deleted: { to: [], deadlineSeconds: null, waitsFor: null },
}

export function mayMove(from: EnvironmentPhase, to: EnvironmentPhase): boolean {
  return environmentPhaseTable[from].to.includes(to)
}
