import { z } from 'zod'
import { defineKind } from './kind-definition.ts'
import { idSchema, nameSchema, timeSchema } from './resource.ts'

/**
 * What a token may do. `administrator`: everything in its organization. `member`: all but tokens and runners.
 * `viewer`: reads. `join`: registers new runners. `runner`: acts as one runner.
 */
export const roleSchema = z.enum(['administrator', 'member', 'viewer', 'join', 'runner'])
export type Role = z.infer<typeof roleSchema>

export const tokenSchema = z
  .object({
    kind: z.literal('Token'),
    id: idSchema,
    organizationId: idSchema,
    principalId: idSchema,
    name: z.string(),
    roles: z.array(roleSchema),
    createdAt: timeSchema,
    expiresAt: timeSchema.nullable(),
    lastUsedAt: timeSchema.nullable(),
    lastClient: z.string().nullable().default(null).meta({
      description: 'The interface that it was last used with, and what the client said that it is',
      example: 'ona: Gitpod/JS 0.6.0',
    }),
  })
  .meta({ id: 'Token' })
export type Token = z.infer<typeof tokenSchema>

export const tokenCreateSchema = z
  .strictObject({
    name: nameSchema,
    roles: z.array(z.enum(['administrator', 'member', 'viewer', 'join'])).min(1),
    expiresAt: timeSchema.optional(),
  })
  .meta({ id: 'TokenCreate' })

/** The only answer that ever holds the secret; it is stored hashed. */
export const tokenCreatedSchema = tokenSchema.extend({ secret: z.string() }).meta({ id: 'TokenCreated' })
export type TokenCreated = z.infer<typeof tokenCreatedSchema>

/** Who a token stands for, and what it may do. */
export const callerSchema = z.object({
  principalId: idSchema,
  organizationId: idSchema,
  name: z.string(),
  roles: z.array(roleSchema),
})

export const tokenKind = defineKind({
  kind: 'Token',
  schema: tokenSchema,
  summary: 'what lets people and programs in',
  hasEvents: false,
  isExplained: false,
  waits: {},
})
