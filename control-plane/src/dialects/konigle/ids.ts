import { z } from '@hono/zod-openapi'
import { idParams } from '../../api/lookup.ts'

const hexDigits = 32

/** A UUID as the whole number that it is, in decimal: later ones are larger, as clients expect of a snowflake. */
export const snowflakeOf = (id: string): string => BigInt(`0x${id.replaceAll('-', '')}`).toString()

/** The UUID of such a number, or of its own text; null for what is neither. */
export function idOf(text: string): string | null {
  const parsed = idParams.shape.id.safeParse(text)
  if (parsed.success) return parsed.data
  if (!/^[0-9]{1,39}$/.test(text)) return null
  const hex = BigInt(text).toString(16).padStart(hexDigits, '0')
  if (hex.length > hexDigits) return null
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)]
  return parts.join('-')
}

/** Digits, or a UUID. */
export const params = z.object({
  id: z
    .string()
    .max(40)
    .regex(/^[0-9a-f-]+$/i, 'an id')
    .meta({ description: 'As in the field `id`' }),
})
