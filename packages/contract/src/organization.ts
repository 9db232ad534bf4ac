import { z } from 'zod'
import { defineKind } from './kind-definition.ts'
import { lifeCapSchema } from './life.ts'
import { quotasSchema } from './quota.ts'
import { labelsSchema, nameSchema, resourceSchema, statusFields } from './resource.ts'

export const organizationSpecSchema = z.strictObject({
  displayName: z.string().min(1).max(255),
  quotas: quotasSchema
    .optional()
    .meta({ description: 'Set by administrators of the first organization; without it the installation’s' }),
  lifeCap: lifeCapSchema.optional().meta({
    description:
      'How long machines may live, and may be unused, at most; a change that leaves it out keeps it',
  }),
})
export const organizationStatusSchema = z.object({
  phase: z.enum(['active']),
  userCertificateAuthority: z.string().meta({
    description: 'OpenSSH public key that the organization’s guests trust to sign user certificates',
  }),
  ...statusFields,
})
export const organizationSchema = resourceSchema(
  'Organization',
  organizationSpecSchema,
  organizationStatusSchema,
).meta({
  id: 'Organization',
})
export type Organization = z.infer<typeof organizationSchema>

export const organizationCreateSchema = z
  .strictObject({ name: nameSchema, labels: labelsSchema.default({}), spec: organizationSpecSchema })
  .meta({ id: 'OrganizationCreate' })

/** The answer that makes one: the only one with the token of its administrator. */
export const organizationCreatedSchema = z
  .object({ organization: organizationSchema, token: z.string() })
  .meta({ id: 'OrganizationCreated' })

export const organizationUpdateSchema = z.strictObject({
  labels: labelsSchema.optional(),
  spec: organizationSpecSchema.optional(),
})

export const organizationKind = defineKind({
  kind: 'Organization',
  schema: organizationSchema,
  summary: 'who owns everything else',
  aliases: ['org', 'orgs'],
  hasEvents: true,
  isExplained: false,
  waits: {},
})
