import { z } from 'zod'
import { bindingStatusSchema, claimBindingSchema } from './claim-binding.ts'
import { bindingInputFields, refuseUnfitBinding } from './claim-binding-input.ts'
import { addressSchema } from './environment.ts'
import { evidenceSchema } from './evidence.ts'
import { defineKind, rests } from './kind-definition.ts'
import { lifeOverSchema, lifeSpecSchema, lifeStatusSchema } from './life.ts'
import { idSchema, labelsSchema, resourceSchema, statusFields, timeSchema } from './resource.ts'

export const claimPhaseSchema = z.enum(['pending', 'bound', 'failed', 'released'])
export type ClaimPhase = z.infer<typeof claimPhaseSchema>

/** An OpenSSH public key line; guests accept certificates for it, never the bare key. */
export const publicKeySchema = z
  .string()
  .max(16_384)
  .regex(
    /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com) [A-Za-z0-9+/=]+( .*)?$/,
    'an OpenSSH public key, as in the .pub file',
  )

export const claimSpecSchema = z.object({
  warmPoolId: idSchema,
  fallback: z.enum(['cold', 'refuse']),
  publicKey: publicKeySchema.nullable(),
  life: lifeSpecSchema.optional().meta({ description: 'What it said of its life itself' }),
  runnerId: idSchema.optional().meta({ description: 'The only runner from which it took a machine' }),
  ...claimBindingSchema.shape,
})
export const connectionSchema = z.object({
  address: addressSchema,
  certificate: z.string().meta({ description: 'OpenSSH user certificate for the caller’s key' }),
  expiresAt: timeSchema.meta({
    description: 'When the certificate ends; ask for another with POST …/certificates',
  }),
})
export type Connection = z.infer<typeof connectionSchema>
export const lostMachineSchema = z.object({ environmentId: idSchema, runnerId: idSchema, at: timeSchema })
export type LostMachine = z.infer<typeof lostMachineSchema>
export const claimStatusSchema = z.object({
  phase: claimPhaseSchema,
  environmentId: idSchema.nullable(),
  source: z.enum(['running', 'suspended', 'resumable', 'stopped', 'cold']).meta({
    description:
      'A member of the pool that ran, or had to be resumed or started; or one made for this claim, from the memory of a prebuild (`resumable`) or not',
  }),
  boundAt: timeSchema.nullable(),
  shortage: evidenceSchema
    .nullable()
    .default(null)
    .meta({ description: 'Why no ready environment was there for it' }),
  lost: lostMachineSchema
    .nullable()
    .default(null)
    .meta({ description: 'The environment it had before this one; the newest, where it lost several' }),
  forkOf: z.object({ claimId: idSchema, snapshotId: idSchema }).nullable().default(null).meta({
    description: 'Set for a fork: the claim whose environment it was, and the snapshot it starts from',
  }),
  binding: bindingStatusSchema
    .nullable()
    .default(null)
    .meta({ description: 'How far the claim has been bound; null where it asked for nothing to be bound' }),
  connection: connectionSchema.nullable(),
  life: lifeStatusSchema
    .nullable()
    .default(null)
    .meta({ description: 'When its environment ends; null where it has no end, or is gone' }),
  ended: lifeOverSchema
    .nullable()
    .default(null)
    .meta({ description: 'Which end of its life it was released by' }),
  ...statusFields,
})
export const claimSchema = resourceSchema('Claim', claimSpecSchema, claimStatusSchema).meta({ id: 'Claim' })
export type Claim = z.infer<typeof claimSchema>

/** The pool by its id, or by project (id or name) and, where a project has several, class (id or name). */
export const claimCreateSchema = z
  .strictObject({
    labels: labelsSchema.default({}),
    spec: z
      .strictObject({
        warmPoolId: idSchema.optional(),
        project: z.string().min(1).max(63).optional(),
        environmentClass: z.string().min(1).max(63).optional(),
        fallback: z.enum(['cold', 'refuse']).default('cold'),
        publicKey: publicKeySchema.nullable().default(null).meta({
          description: 'Without one the claim has no connection: ask for a certificate later',
        }),
        life: lifeSpecSchema.optional(),
        runner: z.string().min(1).max(63).optional().meta({
          description: 'Only a machine on this runner (id or name), as that which has a volume for it',
        }),
        ...bindingInputFields,
      })
      .superRefine(refuseUnfitBinding)
      .refine((spec) => (spec.warmPoolId === undefined) !== (spec.project === undefined), {
        message: 'give either warmPoolId or project',
        path: ['warmPoolId'],
      }),
  })
  .meta({ id: 'ClaimCreate' })

export const certificateRequestSchema = z
  .strictObject({ publicKey: publicKeySchema })
  .meta({ id: 'CertificateRequest' })

export const claimKind = defineKind({
  kind: 'Claim',
  schema: claimSchema,
  summary: 'environments taken from a pool by someone',
  hasEvents: true,
  isExplained: true,
  waits: {
    pending: {
      waitsFor: 'its environment, and what it asked to be bound to it',
      deadlineSeconds: null,
      because:
        'it ends with its environment, every phase of that has a deadline, and `status.deadline` says until when it may be bound',
    },
    bound: rests,
    failed: rests,
    released: rests,
  },
  tones: { bound: 'good', failed: 'bad', released: 'quiet' },
})
