import { z } from 'zod'

/** The longest that Linux keeps. */
const mostCharacters = 64
const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const shape = new RegExp(`^${label}(?:\\.${label})*$`)

/** A host name that a guest may be given. */
export const guestHostNameSchema = z
  .string()
  .min(1)
  .max(mostCharacters)
  .regex(shape, 'a host name: lower-case letters, digits and inner hyphens, in parts joined by dots')
  .refine((name) => !/^[0-9.]*$/.test(name), 'a host name that could not be an IP address')
  .refine((name) => name.split('.')[0] !== 'localhost', 'another name than localhost')
  .meta({ example: 'review-12' })
