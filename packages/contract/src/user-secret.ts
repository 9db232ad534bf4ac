import { z } from 'zod'
import { boundedText } from './bounded.ts'
import { defineKind } from './kind-definition.ts'
import { labelsSchema, resourceSchema, statusFields, timeSchema } from './resource.ts'
import { variableNameSchema } from './variables.ts'

/** What one person may keep. Sizes are bytes of UTF-8. */
export const userSecretLimits = { secrets: 32, valueBytes: 16 * 1024, totalBytes: 64 * 1024 } as const

const gitHostSchema = z
  .string()
  .max(255)
  .regex(
    /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$/,
    'a host name in lower case, with a port if not 443',
  )
  .meta({ example: 'git.example.com' })

export const userSecretSpecSchema = z.object({
  variable: variableNameSchema
    .nullable()
    .meta({ description: 'The variable that it is; null for a password' }),
  gitHost: gitHostSchema
    .nullable()
    .meta({ description: 'The host to which git shows it as the password over HTTPS; null for a variable' }),
  expiresAt: timeSchema.nullable().meta({ description: 'From then on no machine is given it' }),
})
export type UserSecretSpec = z.infer<typeof userSecretSpecSchema>
export const userSecretStatusSchema = z.object({ phase: z.enum(['active']), ...statusFields })
export const userSecretSchema = resourceSchema(
  'UserSecret',
  userSecretSpecSchema,
  userSecretStatusSchema,
).meta({
  id: 'UserSecret',
})
export type UserSecret = z.infer<typeof userSecretSchema>

const valueSchema = boundedText(userSecretLimits.valueBytes)
  .refine((value) => value !== '', 'a value')
  .meta({ description: 'Goes in and never comes out' })

export const userSecretCreateSchema = z
  .strictObject({
    labels: labelsSchema.default({}),
    spec: z
      .strictObject({
        variable: variableNameSchema.optional(),
        gitHost: gitHostSchema.optional(),
        value: valueSchema,
        expiresAt: timeSchema.nullable().default(null),
      })
      .refine(({ variable, gitHost }) => (variable === undefined) !== (gitHost === undefined), {
        message: 'give either variable or gitHost',
        path: ['variable'],
      }),
  })
  .meta({ id: 'UserSecretCreate' })
export const userSecretUpdateSchema = z
  .strictObject({
    labels: labelsSchema.optional(),
    spec: z
      .strictObject({ value: valueSchema.optional(), expiresAt: timeSchema.nullable().optional() })
      .optional(),
  })
  .meta({ id: 'UserSecretUpdate' })

export const userSecretKind = defineKind({
  kind: 'UserSecret',
  schema: userSecretSchema,
  summary: 'what is given to the machines that you claim, and seen by nobody',
  hasEvents: false,
  isExplained: false,
  waits: {},
})
