import { z } from 'zod'
import { labelsSchema, nameSchema, resourceSchema, statusFields } from './resource.ts'

export const environmentClassSpecSchema = z.strictObject({
  virtualCpus: z.int().min(1).max(256),
  memoryMebibytes: z.int().min(128).max(4_194_304),
  diskGibibytes: z.int().min(1).max(65_536),
  image: nameSchema.default('debian-12'),
  region: nameSchema.nullable().default(null).meta({ description: 'null for any region' }),
  runnerSelector: labelsSchema.default({}).meta({ description: 'Labels a runner must have' }),
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
      })
      .optional(),
  })
  .meta({ id: 'EnvironmentClassUpdate' })
