import { z } from 'zod'

/** Rules of values as Ona's own documents say them; a text that is empty was not given. */
export const uuid = z.string().regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'a UUID')
export const uuids = (most: number) => z.array(uuid).max(most)
export const values = (most: number) => z.array(z.number()).max(most)
/** Where what is not given is the message's own default. */
export const orNothing = (schema: z.ZodType) => z.union([z.literal(''), schema])

export const pagination = z
  .looseObject({ pageSize: z.number().min(0).max(100), token: z.string().max(200) })
  .optional()
