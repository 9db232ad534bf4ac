import { readFileSync } from 'node:fs'
import { mostSimulatedClaims } from '@hearth/contract'
import { HearthError, toError } from '@hearth/foundation'
import { z } from 'zod'

const claimSchema = z.object({ metadata: z.object({ createdAt: z.string() }) })
const listSchema = z.array(z.union([z.string(), claimSchema]))

/**
 * When claims came, from a file: a JSON array of times or of claims, as `hearth get claims -o json` prints them, or one time on each line. Throws
 * `invalid` for what is none.
 */
export function readClaimTimes(path: string): string[] {
  let text: string
  try {
    text = readFileSync(path === '-' ? 0 : path, 'utf8').trim()
  } catch (cause) {
    throw new HearthError('invalid', `cannot read ${path}: ${toError(cause).message}`, { cause })
  }
  const entries = text.startsWith('[') ? entriesOf(path, text) : text.split(/\s*\n\s*/).filter(Boolean)
  if (entries.length === 0) throw new HearthError('invalid', `${path} holds no time: one a line is needed`)
  if (entries.length > mostSimulatedClaims)
    throw new HearthError(
      'invalid',
      `${path} holds ${entries.length} times: at most ${mostSimulatedClaims} are simulated`,
    )
  return entries.map((entry, index) => {
    const milliseconds = Date.parse(entry)
    if (!Number.isNaN(milliseconds)) return new Date(milliseconds).toISOString()
    throw new HearthError(
      'invalid',
      `${path}, entry ${index + 1}: ${JSON.stringify(entry.slice(0, 60))} is no time, as 2026-01-31T12:00:00Z`,
    )
  })
}

function entriesOf(path: string, text: string): string[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new HearthError('invalid', `${path} is no JSON: ${toError(cause).message}`, { cause })
  }
  const parsed = listSchema.safeParse(value)
  if (parsed.success)
    return parsed.data.map((entry) => (typeof entry === 'string' ? entry : entry.metadata.createdAt))
  throw new HearthError('invalid', `${path} is no list of times or of claims`)
}
