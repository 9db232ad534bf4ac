import { z } from 'zod'
import { stepNameSchema } from './provisioning-step.ts'

/** Closed list of causes; the message says which thing, the code what kind of thing to do about it. */
export const failureCodeSchema = z.enum([
  'deadline_passed', // a wait ended: the message names what was waited for
  'no_runner_fits', // placement found no runner for the class
  'image_missing', // no runner holds the base image
  'host_refused', // the hypervisor or the host said no
  'guest_unreachable', // the guest never answered, or stopped to
  'identity_mismatch', // the guest is not who it should be
  'guest_misbehaved', // the guest answered too much, or what makes no sense
  'clone_failed', // a repository could not be cloned
  'command_failed', // a set-up command exited non-zero
  'runner_lost', // the host went away and the project does not wait
  'layer_damaged', // a layer is not what it was when it was made
  'layer_unfit', // a layer is of another image, or larger than the machine's disk
  'memory_unusable', // a memory image cannot be resumed
  'volume_missing', // the disk of a volume is not on its host any more
  'volume_busy', // programs in the machine use the volume
  'disk_full', // the host has no room for it
  'secret_found', // a layer holds a secret
  'caller_silent', // who had begun it no longer said that they live
  'cancelled', // somebody cancelled it
  'boots_keep_failing', // a pool stopped trying
  'name_taken', // another one has the host name
  'internal',
])
export type FailureCode = z.infer<typeof failureCodeSchema>

export const failureSchema = z.object({
  code: failureCodeSchema,
  message: z
    .string()
    .meta({ description: 'One sentence with the cause and, where there is one, the way out' }),
  step: stepNameSchema.optional(),
  lastLines: z.array(z.string()).optional().meta({ description: 'The end of the failing step’s output' }),
})
export type Failure = z.infer<typeof failureSchema>

const ofSnapshots: ReadonlySet<FailureCode> = new Set(['layer_damaged', 'layer_unfit', 'memory_unusable'])

/**
 * Whether the failure of a machine that starts from a snapshot speaks against the snapshot: it cannot be used, or the
 * guest that stood on it did not answer as itself. What came afterwards is the set-up's, what came before the host's.
 */
export function speaksAgainstSnapshot(failure: Failure | null): boolean {
  if (failure === null) return false
  return ofSnapshots.has(failure.code) || failure.step === 'own_identity' || failure.step === 'ensure_server'
}

/**
 * Whether a failure that speaks against a snapshot may be the host's doing all the same: the guest did not answer, and showed
 * nothing that is wrong.
 */
export function isUnanswered({ code, step }: Failure): boolean {
  if (ofSnapshots.has(code) || code === 'identity_mismatch') return false
  return step === 'own_identity' || step === 'ensure_server'
}

/** Whether a failure may be the host's doing: its machine could not be made there, or its guest never answered. */
export function speaksAgainstHost(failure: Failure | null): boolean {
  if (failure === null || failure.code === 'image_missing' || failure.code === 'guest_misbehaved')
    return false
  return failure.step === 'create_vm' || failure.step === 'ensure_server'
}
