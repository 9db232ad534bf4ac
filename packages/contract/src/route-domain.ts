import { z } from 'zod'
import { timeSchema } from './resource.ts'

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'

/** A host name of one's own that leads to a route. */
export const customDomainSchema = z
  .string()
  .max(253)
  .regex(
    new RegExp(`^(?:${label}\\.)+(?!\\d+$)${label}$`),
    'a host name of at least two parts, in lower-case letters, digits and inner hyphens, as in shop.example.com',
  )
  .meta({ example: 'shop.example.com' })

export const domainStateSchema = z.enum(['pending', 'active', 'failed'])
export type DomainState = z.infer<typeof domainStateSchema>

/** How the custom domain of a route fares. */
export const routeDomainSchema = z.object({
  state: domainStateSchema.meta({
    description:
      'pending until the name leads to the proxy and has its certificate, then active; failed with its cause, and still looked at',
  }),
  cause: z.string().nullable().meta({ description: 'Why it is not active, and what to do' }),
  since: timeSchema,
})
export type RouteDomain = z.infer<typeof routeDomainSchema>

/** Seconds after which a name that does not lead to the proxy yet counts as failed; it is looked at all the same. */
export const domainSeconds = 600
