import { z } from 'zod'
import { boundedText } from './bounded.ts'
import { defineKind, rests } from './kind-definition.ts'
import { idSchema, labelsSchema, nameSchema, resourceSchema, statusFields } from './resource.ts'
import { referenceSchema } from './snapshot.ts'

/** Bounds of a volume's size, and how many may be attached to one machine. */
export const volumeLimits = { leastMebibytes: 64, mostMebibytes: 16_777_216, ofEnvironment: 16 } as const
/** Seconds that each phase waits for its host. */
export const volumeSeconds = {
  pending: 600,
  creating: 1_800,
  clearing: 300,
  growing: 120,
  attaching: 300,
  detaching: 180,
  deleting: 120,
} as const

export const volumePhases = [
  'unplaced',
  'pending',
  'creating',
  'available',
  'attaching',
  'attached',
  'detaching',
  'clearing',
  'growing',
  'failed',
  'deleting',
] as const
export const volumePhaseSchema = z.enum(volumePhases)
export type VolumePhase = z.infer<typeof volumePhaseSchema>

const forbiddenPlaces = [
  '/boot',
  '/dev',
  '/etc',
  '/proc',
  '/run',
  '/sys',
  '/tmp',
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
]
const isBelow = (path: string, place: string) => path === place || path.startsWith(`${place}/`)

export const mountPathSchema = boundedText(255)
  .regex(/^(\/[A-Za-z0-9_][A-Za-z0-9._-]*)+$/, 'an absolute path of letters, digits, _ . and -, like /data')
  .refine(
    (path) => !forbiddenPlaces.some((place) => isBelow(path, place)),
    `not in ${forbiddenPlaces.join(', ')}`,
  )
  .refine((path) => path !== '/home' && path !== '/root' && path !== '/var' && path !== '/opt', {
    message: 'a folder below, like /home/data: this one is the system’s',
  })
  .meta({ description: 'Where it is mounted in a machine; by default /volumes and its name' })

const sizeSchema = z
  .int()
  .min(volumeLimits.leastMebibytes)
  .max(volumeLimits.mostMebibytes)
  .meta({ description: 'It may grow and never shrinks' })

export const volumeSpecSchema = z.object({
  desired: z.enum(['present', 'delete']),
  sizeMebibytes: sizeSchema,
  mountPath: z.string(),
  environmentId: idSchema.nullable().meta({ description: 'The one environment that has it' }),
  isSnapshot: z.boolean().meta({ description: 'A snapshot is copied from, and never attached or changed' }),
  sourceId: idSchema.nullable().meta({ description: 'The volume that it was made from' }),
  runnerSelector: labelsSchema.meta({ description: 'Labels of the runner that it is made on' }),
  keptBy: z
    .object({ kind: z.enum(['Pipeline']), id: idSchema })
    .nullable()
    .optional()
    .meta({ description: 'What has made it and sees to it; absent for one that is a person’s' }),
})
export type VolumeSpec = z.infer<typeof volumeSpecSchema>

export const volumeStatusSchema = z.object({
  phase: volumePhaseSchema,
  runnerId: idSchema.nullable().meta({ description: 'On whose host its disk is; null until it is placed' }),
  waitsFor: z.string().nullable(),
  isMounted: z.boolean().meta({ description: 'Whether it is mounted in a machine that runs' }),
  usedMebibytes: z.int().nullable().meta({ description: 'What it takes of its host’s disk' }),
  ...statusFields,
})
export type VolumeStatus = z.infer<typeof volumeStatusSchema>
export const volumeSchema = resourceSchema('Volume', volumeSpecSchema, volumeStatusSchema).meta({
  id: 'Volume',
})
export type Volume = z.infer<typeof volumeSchema>

export const volumeCreateSchema = z
  .strictObject({
    name: nameSchema,
    labels: labelsSchema.default({}),
    spec: z.strictObject({
      sizeMebibytes: sizeSchema.optional().meta({ description: 'By default that of `from`, else 10 GiB' }),
      mountPath: mountPathSchema.optional(),
      runner: referenceSchema
        .optional()
        .meta({ description: 'The runner that it is made on; by default that of its first machine' }),
      runnerSelector: labelsSchema.default({}),
      from: referenceSchema.optional().meta({ description: 'A volume, or a snapshot of one, to copy' }),
    }),
  })
  .meta({ id: 'VolumeCreate' })

export const volumeUpdateSchema = z
  .strictObject({
    labels: labelsSchema.optional(),
    spec: z
      .strictObject({ sizeMebibytes: sizeSchema.optional(), mountPath: mountPathSchema.optional() })
      .optional(),
  })
  .meta({ id: 'VolumeUpdate' })

export const volumeAttachSchema = z
  .strictObject({
    environment: referenceSchema.optional(),
    claim: referenceSchema.optional(),
    mountPath: mountPathSchema.optional(),
  })
  .refine(({ environment, claim }) => (environment === undefined) !== (claim === undefined), {
    message: 'give either environment or claim',
    path: ['environment'],
  })
  .meta({ id: 'VolumeAttach' })
const forceSchema = z
  .boolean()
  .default(false)
  .meta({ description: 'Whether programs that use it are not waited for' })
export const volumeDetachSchema = z.strictObject({ force: forceSchema }).meta({ id: 'VolumeDetach' })
export const volumeClearSchema = z.strictObject({ force: forceSchema }).meta({ id: 'VolumeClear' })
export const volumeSnapshotSchema = z
  .strictObject({ name: nameSchema, labels: labelsSchema.default({}) })
  .meta({ id: 'VolumeSnapshot' })

const waitsForHost = (waitsFor: string, deadlineSeconds: number) => ({ waitsFor, deadlineSeconds })

export const volumeKind = defineKind({
  kind: 'Volume',
  schema: volumeSchema,
  summary: 'disks that outlive machines',
  hasEvents: true,
  isExplained: true,
  waits: {
    unplaced: rests,
    pending: waitsForHost('a runner with room for it', volumeSeconds.pending),
    creating: waitsForHost('its host to make its disk', volumeSeconds.creating),
    available: rests,
    attaching: waitsForHost('its host to mount it in the machine', volumeSeconds.attaching),
    attached: rests,
    detaching: waitsForHost('its host to take it out of the machine', volumeSeconds.detaching),
    clearing: waitsForHost('its host to empty it', volumeSeconds.clearing),
    growing: waitsForHost('its host to enlarge it', volumeSeconds.growing),
    failed: rests,
    deleting: waitsForHost('its host to remove its disk', volumeSeconds.deleting),
  },
  tones: { unplaced: 'quiet', available: 'quiet', attached: 'good', failed: 'bad' },
})
