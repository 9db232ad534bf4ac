import { z } from 'zod'
import { defineKind } from './kind-definition.ts'
import { labelsSchema, nameSchema, resourceSchema, statusFields } from './resource.ts'

/** Limits of one machine on what all machines of its host share; a limit that is absent does not apply. */
export const machineLimitsSchema = z.strictObject({
  diskMegabytesPerSecond: z.int().min(1).max(1_000_000).optional(),
  diskOperationsPerSecond: z.int().min(10).max(100_000_000).optional(),
  bandwidthMegabitsPerSecond: z.int().min(1).max(1_000_000).optional(),
  packetsPerSecond: z.int().min(10).max(100_000_000).optional(),
})
export type MachineLimits = z.infer<typeof machineLimitsSchema>

export const environmentClassSpecSchema = z.strictObject({
  virtualCpus: z.int().min(1).max(256),
  memoryMebibytes: z.int().min(128).max(4_194_304),
  diskGibibytes: z.int().min(1).max(65_536),
  image: nameSchema.default('debian-12'),
  region: nameSchema.nullable().default(null).meta({ description: 'null for any region' }),
  runnerSelector: labelsSchema.default({}).meta({ description: 'Labels a runner must have' }),
  limits: machineLimitsSchema
    .optional()
    .meta({ description: 'Of each environment; what is not named is not limited' }),
})
export type EnvironmentClassSpec = z.infer<typeof environmentClassSpecSchema>

/** Made with every organization. The sizes are of virtual CPUs, MiB and GiB. */
export const standardEnvironmentClasses = {
  small: { virtualCpus: 1, memoryMebibytes: 2_048, diskGibibytes: 10 },
  medium: { virtualCpus: 2, memoryMebibytes: 4_096, diskGibibytes: 20 },
  large: { virtualCpus: 4, memoryMebibytes: 8_192, diskGibibytes: 40 },
} as const

export const environmentClassStatusSchema = z.object({ phase: z.enum(['active']), ...statusFields })
export const environmentClassSchema = resourceSchema(
  'EnvironmentClass',
  environmentClassSpecSchema,
  environmentClassStatusSchema,
).meta({ id: 'EnvironmentClass' })
export type EnvironmentClass = z.infer<typeof environmentClassSchema>

export const environmentClassCreateSchema = z
  .strictObject({ name: nameSchema, labels: labelsSchema.default({}), spec: environmentClassSpecSchema })
  .meta({ id: 'EnvironmentClassCreate' })
export const environmentClassUpdateSchema = z
  .strictObject({
    labels: labelsSchema.optional(),
    spec: z
      .strictObject({
        virtualCpus: environmentClassSpecSchema.shape.virtualCpus.optional(),
        memoryMebibytes: environmentClassSpecSchema.shape.memoryMebibytes.optional(),
        diskGibibytes: environmentClassSpecSchema.shape.diskGibibytes.optional(),
        image: nameSchema.optional(),
        region: nameSchema.nullable().optional(),
        runnerSelector: labelsSchema.optional(),
        limits: machineLimitsSchema.optional(),
      })
      .optional(),
  })
  .meta({ id: 'EnvironmentClassUpdate' })

export const environmentClassKind = defineKind({
  kind: 'EnvironmentClass',
  schema: environmentClassSchema,
  summary: 'sizes of environments',
  aliases: ['class', 'classes'],
  hasEvents: true,
  isExplained: false,
  waits: {},
})
