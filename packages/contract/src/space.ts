import { z } from 'zod'
import { boundedText } from './bounded.ts'
import { cronSchema, timeZoneSchema } from './cron.ts'
import { defineKind, rests } from './kind-definition.ts'
import { processLimits } from './process.ts'
import { idSchema, labelsSchema, resourceSchema, statusFields, timeSchema } from './resource.ts'
import { customDomainSchema, routeDomainSchema } from './route-domain.ts'
import { variableNameSchema } from './variables.ts'

export const spaceTypes = ['uat', 'production'] as const
export const spaceTypeSchema = z.enum(spaceTypes)
export type SpaceType = z.infer<typeof spaceTypeSchema>

/** Where a space's web server listens in its machine. */
export const spacePorts: Readonly<Record<SpaceType, number>> = { uat: 8_080, production: 8_081 }

/** Of one space. */
export const spaceLimits = { variables: 128, cronJobs: 4, keptReleases: 5 } as const

export const cronJobSchema = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(32)
    .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'lower-case letters, digits and inner hyphens'),
  schedule: cronSchema.meta({ description: 'As in crontab: minute hour day month weekday' }),
  timeZone: timeZoneSchema.default('UTC'),
  command: boundedText(processLimits.commandBytes).refine((text) => text.trim() !== '', 'a command'),
})
export type CronJob = z.infer<typeof cronJobSchema>

const changeable = {
  variables: z
    .record(variableNameSchema, boundedText(processLimits.valueBytes))
    .refine((variables) => Object.keys(variables).length <= spaceLimits.variables, {
      message: `at most ${spaceLimits.variables} variables`,
    })
    .refine((variables) => new TextEncoder().encode(JSON.stringify(variables)).byteLength <= 48 * 1024, {
      message: 'at most 48 KiB of names and values',
    })
    .meta({ description: 'Given to what runs in it, from the next deployment on' }),
  cronJobs: z
    .array(cronJobSchema)
    .max(spaceLimits.cronJobs)
    .refine((jobs) => new Set(jobs.map(({ name }) => name)).size === jobs.length, {
      message: 'each cron job has a name of its own',
    })
    .meta({ description: 'Run in the folder of the current release, as the user of the space' }),
} as const

export const spaceSpecSchema = z.object({
  desired: z.enum(['running', 'stopped', 'delete']),
  webAppId: idSchema,
  environmentId: idSchema,
  type: spaceTypeSchema,
  ...changeable,
  customDomain: z
    .string()
    .nullable()
    .meta({ description: 'A host name of one’s own that leads there too; null for none' }),
})
export type SpaceSpec = z.infer<typeof spaceSpecSchema>

export const spacePhaseSchema = z.enum([
  'provisioning',
  'starting',
  'running',
  'stopping',
  'stopped',
  'failed',
  'deleting',
])
export type SpacePhase = z.infer<typeof spacePhaseSchema>

export const spaceStatusSchema = z.object({
  phase: spacePhaseSchema,
  routeId: idSchema.nullable().meta({ description: 'The route that leads to it' }),
  platformDomain: z.string().nullable().meta({
    description: 'Its host name; null where its runner serves no routes, or before that is known',
  }),
  url: z.string().nullable(),
  domain: routeDomainSchema.nullable().meta({ description: 'Of its custom domain; null where it has none' }),
  currentDeploymentId: idSchema.nullable().meta({ description: 'The release that gets its requests' }),
  lastDeployment: z
    .object({ id: idSchema, phase: z.string(), createdAt: timeSchema })
    .nullable()
    .meta({ description: 'The one that was asked for last' }),
  waitsFor: z.string().nullable(),
  ...statusFields,
})
export const spaceSchema = resourceSchema('Space', spaceSpecSchema, spaceStatusSchema).meta({ id: 'Space' })
export type Space = z.infer<typeof spaceSchema>

export const spaceUpdateSchema = z
  .strictObject({
    labels: labelsSchema.optional(),
    spec: z
      .strictObject({
        desired: z.enum(['running', 'stopped']).optional(),
        variables: changeable.variables.optional(),
        cronJobs: changeable.cronJobs.optional(),
        customDomain: customDomainSchema.nullable().optional(),
      })
      .optional(),
  })
  .meta({ id: 'SpaceUpdate' })

const ofWebApp = 'its web app has a deadline for it'
const ofServices = 'each of its services has a deadline of its own'
export const spaceKind = defineKind({
  kind: 'Space',
  schema: spaceSchema,
  summary: 'the two stages of web apps, uat and production, each with its release, domain and variables',
  hasEvents: true,
  isExplained: true,
  waits: {
    provisioning: { waitsFor: 'its web app to be set up', deadlineSeconds: null, because: ofWebApp },
    starting: { waitsFor: 'its processes to be ready', deadlineSeconds: null, because: ofServices },
    running: rests,
    stopping: { waitsFor: 'its processes to end', deadlineSeconds: null, because: ofServices },
    stopped: rests,
    failed: rests,
    deleting: { waitsFor: 'its files to be removed', deadlineSeconds: null, because: ofWebApp },
  },
  tones: { running: 'good', stopped: 'quiet', failed: 'bad' },
})
