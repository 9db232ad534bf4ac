import { readFileSync } from 'node:fs'
import { HearthError } from '@hearth/foundation'
import { writePrivateFile } from '../private-file.ts'
import { type ContextFile, contextFileSchema } from './context.ts'

/** The context in a file, or null when the file is missing or not readable. */
export function readContextFile(path: string): (ContextFile & { path: string }) | null {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return null
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  const parsed = contextFileSchema.safeParse(value)
  if (parsed.success) return { ...parsed.data, path }
  throw new HearthError(
    'invalid',
    `${path} is not a context: it should hold {"url": "http://...", "token": "..."}`,
  )
}

export function writeContextFile(path: string, context: ContextFile): void {
  writePrivateFile(path, `${JSON.stringify(context, null, 2)}\n`)
}
