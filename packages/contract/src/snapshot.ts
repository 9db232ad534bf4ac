import { z } from 'zod'
import { countSchema } from './bounded.ts'
import { failureSchema } from './failure.ts'
import { defineKind, rests } from './kind-definition.ts'
import { idSchema, labelsSchema, nameSchema, resourceSchema, statusFields, timeSchema } from './resource.ts'

export const snapshotPhases = ['pending', 'creating', 'ready', 'failed', 'deleting', 'deleted'] as const
export const snapshotPhaseSchema = z.enum(snapshotPhases)
export type SnapshotPhase = z.infer<typeof snapshotPhaseSchema>

/** Where a snapshot may go from each phase; a move that is not here is refused. */
export const snapshotMoves: Readonly<Record<SnapshotPhase, readonly SnapshotPhase[]>> = {
  pending: ['creating', 'ready', 'failed', 'deleting', 'deleted'],
  creating: ['ready', 'failed', 'deleting', 'deleted'],
  ready: ['failed', 'deleting', 'deleted'],
  failed: ['deleting', 'deleted'],
  deleting: ['deleted'],
  deleted: [],
}
export const mayMoveSnapshot = (from: SnapshotPhase, to: SnapshotPhase): boolean =>
  snapshotMoves[from].includes(to)

/** What it was made for: what is made for a purpose goes when that is over. */
export const snapshotPurposeSchema = z.enum(['kept', 'checkpoint', 'fork', 'prebuild', 'pipeline']).meta({
  description:
    'kept: until it is deleted; checkpoint: a point to go back to, as many as its project keeps; fork: goes when no fork uses it; prebuild: goes with its prebuild; pipeline: goes when its pipeline is compiled anew, and with it',
})
export type SnapshotPurpose = z.infer<typeof snapshotPurposeSchema>

export const snapshotSpecSchema = z.object({
  desiredPhase: z.enum(['ready', 'deleted']),
  projectId: idSchema,
  environmentId: idSchema
    .nullable()
    .meta({ description: 'The environment it was made of; null when that is not on record any more' }),
  claimId: idSchema.nullable().meta({ description: 'The claim that had the environment then' }),
  memory: z.boolean().meta({ description: 'Whether the memory was asked for too' }),
  purpose: snapshotPurposeSchema,
})
export type SnapshotSpec = z.infer<typeof snapshotSpecSchema>

/** The machine as it was: another resumes from its memory only where these are the same. */
export const snapshotMachineSchema = z.object({
  image: z.string(),
  virtualCpus: countSchema,
  memoryMebibytes: countSchema,
  diskGibibytes: countSchema,
})
export type SnapshotMachine = z.infer<typeof snapshotMachineSchema>

const bytesSchema = z.int().nonnegative()
export const snapshotHolderSchema = z.object({
  runnerId: idSchema,
  runner: z.string().meta({ description: 'The name of the runner' }),
  phase: z.enum(['pending', 'creating', 'copying', 'present', 'failed', 'deleting']),
  unreachable: z.boolean().meta({ description: 'The runner is silent: nothing starts from what it holds' }),
  progress: z.object({ doneBytes: bytesSchema, totalBytes: bytesSchema }).nullable(),
  keptBy: z.array(z.string()).meta({ description: 'What still stands on the layer that is to go' }),
  failure: failureSchema.nullable(),
  copiedFrom: z.string().nullable().meta({
    description: 'The runner that it copies the disk from; null for the one that made the snapshot',
  }),
})
export type SnapshotHolder = z.infer<typeof snapshotHolderSchema>

export const snapshotStatusSchema = z.object({
  phase: snapshotPhaseSchema,
  parentId: idSchema.nullable().meta({ description: 'The snapshot on whose disk this one stands' }),
  bytes: z
    .object({ own: bytesSchema, total: bytesSchema, memory: bytesSchema })
    .nullable()
    .meta({ description: 'own: of its disk; total: with all it stands on but the image; null until known' }),
  memory: z
    .object({ kept: z.boolean(), reason: z.string().nullable() })
    .nullable()
    .meta({ description: 'Whether it has the memory, and why not where it was asked for; null until known' }),
  pausedMilliseconds: z
    .number()
    .nullable()
    .meta({ description: 'How long the machine stood still; null for one that was off' }),
  machine: snapshotMachineSchema,
  heldSteps: z.array(z.string()).meta({
    description: 'The steps that were done: an environment that starts from it need not do them again',
  }),
  planDigest: z.string().meta({ description: 'The planDigest of the environment' }),
  volumesLeftOut: z
    .array(z.object({ name: z.string(), mountPath: z.string() }))
    .default([])
    .meta({
      description:
        'Volumes that the machine had when it was asked for. They stay what they are, and are not in it: what starts from it has an empty folder there',
    }),
  holders: z.array(snapshotHolderSchema),
  readyAt: timeSchema.nullable(),
  deletion: z
    .object({
      reason: z.enum(['requested', 'project_deleted', 'too_many', 'too_old', 'unused']),
      principalId: idSchema.nullable(),
      at: timeSchema,
    })
    .nullable()
    .meta({ description: 'Why it is to be deleted' }),
  ...statusFields,
})
export type SnapshotStatus = z.infer<typeof snapshotStatusSchema>
export type SnapshotDeletion = NonNullable<SnapshotStatus['deletion']>
export const snapshotSchema = resourceSchema('Snapshot', snapshotSpecSchema, snapshotStatusSchema).meta({
  id: 'Snapshot',
})
export type Snapshot = z.infer<typeof snapshotSchema>

/** An id or a name. */
export const referenceSchema = z.string().min(1).max(127)

export const snapshotCreateSchema = z
  .strictObject({
    name: nameSchema.optional(),
    labels: labelsSchema.default({}),
    spec: z
      .strictObject({
        environment: referenceSchema.optional(),
        claim: referenceSchema.optional(),
        memory: z.boolean().default(false),
      })
      .refine(({ environment, claim }) => (environment === undefined) !== (claim === undefined), {
        message: 'give either environment or claim',
        path: ['environment'],
      }),
  })
  .meta({ id: 'SnapshotCreate' })

export const checkpointCreateSchema = z
  .strictObject({
    name: nameSchema.optional(),
    labels: labelsSchema.default({}),
    memory: z.boolean().default(true),
  })
  .meta({ id: 'CheckpointCreate' })

export const restoreSchema = z
  .strictObject({
    checkpoint: referenceSchema.optional().meta({
      description: 'A snapshot of this environment, by id or name; by default its newest checkpoint',
    }),
    memory: z
      .boolean()
      .default(true)
      .meta({ description: 'Whether what ran then runs on, where the memory was kept; else it boots' }),
  })
  .meta({ id: 'Restore' })

export const copyCreateSchema = z
  .strictObject({ runner: referenceSchema.meta({ description: 'The id or the name of the runner' }) })
  .meta({ id: 'SnapshotCopyCreate' })

/** Seconds without a byte after which a copy is tried from another runner, or given up. */
export const copySeconds = 600

/** Seconds that a snapshot may wait for its runner to begin, take to be made, and wait to be removed. */
export const snapshotSeconds = { pending: 120, creating: 600, deleting: 600 } as const

export const snapshotKind = defineKind({
  kind: 'Snapshot',
  schema: snapshotSchema,
  summary: 'disks of environments, and perhaps their memory, as they were at one moment',
  hasEvents: true,
  isExplained: true,
  waits: {
    pending: { waitsFor: 'its runner to begin', deadlineSeconds: snapshotSeconds.pending },
    creating: { waitsFor: 'its runner to freeze the machine', deadlineSeconds: snapshotSeconds.creating },
    ready: rests,
    failed: rests,
    deleting: {
      waitsFor: 'its runners to remove what they hold of it',
      deadlineSeconds: snapshotSeconds.deleting,
    },
    deleted: rests,
  },
  tones: { ready: 'good', failed: 'bad', deleted: 'quiet' },
})
