import { z } from 'zod'
import { boundedText } from './bounded.ts'
import { variableNameSchema } from './variables.ts'

/** How many secrets a project may have, and the bytes of UTF-8 of one value and of all names and values together. */
export const secretLimits = { count: 256, valueBytes: 64 * 1024, totalBytes: 512 * 1024 } as const

/** A project's secrets by name. */
export const secretsSchema = z
  .record(variableNameSchema, boundedText(secretLimits.valueBytes))
  .superRefine((secrets, context) => {
    const fault = secretsFault(secrets)
    if (fault !== null) context.addIssue({ code: 'custom', message: fault })
  })

function secretsFault(secrets: Readonly<Record<string, string>>): string | null {
  const { count, totalBytes } = secretLimits
  const entries = Object.entries(secrets)
  if (entries.length > count) return `a project has at most ${count} secrets, these are ${entries.length}`
  const encoder = new TextEncoder()
  const bytes = entries.flat().reduce((sum, text) => sum + encoder.encode(text).byteLength, 0)
  if (bytes <= totalBytes) return null
  return `the names and values of a project's secrets have at most ${totalBytes} bytes together, these have ${bytes}`
}

/**
 * Bytes of the shortest secret value that is searched for in a snapshot. A shorter one stands in every disk by chance.
 */
export const shortestSearchedBytes = 8
