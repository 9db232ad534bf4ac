import { z } from '@hono/zod-openapi'
import { badRequest, failure, Refusal } from './status.ts'
import type { IncludedObject } from './table.ts'

const mostSelectorBytes = 4_096
const text = z.string().max(mostSelectorBytes).optional()
const number = z.string().max(20).optional()

/** Parameters that are not known here are passed over, as Kubernetes does. */
export const getQuerySchema = z.looseObject({ resourceVersion: number, includeObject: text })
export const listQuerySchema = z.looseObject({
  watch: text.meta({ description: 'Follow the changes instead of listing' }),
  allowWatchBookmarks: text,
  sendInitialEvents: text,
  resourceVersion: number,
  resourceVersionMatch: text,
  timeoutSeconds: number.meta({ description: 'Of following' }),
  limit: number,
  continue: z.string().max(1_024).optional(),
  fieldSelector: text,
  labelSelector: text,
  includeObject: text,
})
export type ListQuery = z.output<typeof listQuerySchema>

/** As Kubernetes reads a flag: anything but these is true. */
export const flag = (given: string | undefined) =>
  given !== undefined && !['', '0', 'false'].includes(given.toLowerCase())

/** null for any, which is the newest. */
export function resourceVersionOf(given: string | undefined): number | null {
  if (given === undefined || given === '' || given === '0') return null
  if (/^\d{1,15}$/.test(given)) return Number(given)
  throw badRequest(`invalid resource version "${given}": a decimal number is needed`)
}

/** null where it is not given, or 0. */
export function wholeNumber(name: string, given: string | undefined): number | null {
  if (given === undefined || given === '') return null
  if (!/^\d{1,9}$/.test(given)) throw badRequest(`invalid ${name} "${given}": a whole number is needed`)
  return Number(given) === 0 ? null : Number(given)
}

export function includedObject(given: string | undefined): IncludedObject {
  switch (given) {
    case 'None':
    case 'Object':
    case 'Metadata':
      return given
    case undefined:
    case '':
      return 'Metadata'
    default:
      throw badRequest(`invalid includeObject "${given}": None, Metadata or Object is needed`)
  }
}

/** A client that asks for it lists first instead, as with servers of older versions. */
export function refuseInitialEvents({ sendInitialEvents }: ListQuery): void {
  if (sendInitialEvents === undefined) return
  const message = 'sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch: list first'
  throw new Refusal(failure(422, 'Invalid', message))
}

const tokenSchema = z.strictObject({ revision: z.int().nonnegative(), after: z.string().max(63) })
export type ContinueToken = z.infer<typeof tokenSchema>

export const continueOf = (token: ContinueToken) => Buffer.from(JSON.stringify(token)).toString('base64url')

export function readContinue(given: string | undefined): ContinueToken | null {
  if (given === undefined || given === '') return null
  try {
    return tokenSchema.parse(JSON.parse(Buffer.from(given, 'base64url').toString()))
  } catch {
    throw badRequest('continue key is not valid: it is that of a list before')
  }
}
