import { type SnapshotOrder, shortestSearchedBytes } from '@hearth/contract'
import { unseal } from '@hearth/foundation'
import { z } from 'zod'

const valuesSchema = z.record(z.string(), z.string())

/** One form in which a secret's value may stand in a layer. */
export interface ForbiddenForm {
  secret: string
  bytes: Buffer
}

/** The forms of all values that the layer must not hold. Throws when they were not sealed to this runner for it. */
export function openForbidden(
  order: Pick<SnapshotOrder, 'id' | 'sealedForbidden'>,
  sealingKey: string,
): ForbiddenForm[] {
  if (order.sealedForbidden === null) return []
  const values = valuesSchema.parse(JSON.parse(unseal(order.sealedForbidden, sealingKey, order.id)))
  return Object.entries(values).flatMap(([secret, value]) => formsOf(secret, value))
}

/** A value as it is, in base64 at each of the three alignments, and as a part of a URL. */
export function formsOf(secret: string, value: string): ForbiddenForm[] {
  const plain = Buffer.from(value)
  if (plain.length < shortestSearchedBytes) return []
  const forms = [plain, Buffer.from(encodeURIComponent(value)), ...alignments(plain)]
  const distinct = new Map(forms.map((bytes) => [bytes.toString('latin1'), bytes]))
  return [...distinct.values()].map((bytes) => ({ secret, bytes }))
}

/** The characters of base64 that depend on this value alone, whatever stands before and after it. */
function alignments(plain: Buffer): Buffer[] {
  return [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), plain])
      .toString('base64')
      .replace(/=+$/, '')
    const first = Math.ceil((before * 8) / 6)
    const last = Math.floor(((before + plain.length) * 8) / 6)
    const own = text.slice(first, last)
    const forUrls = own.replaceAll('+', '-').replaceAll('/', '_')
    return [...new Set([own, forUrls])].map((form) => Buffer.from(form, 'latin1'))
  })
}
