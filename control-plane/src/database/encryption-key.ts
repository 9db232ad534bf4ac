import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Reads the key from a file, 32 bytes in base64; creates the file when there is none. Losing the key loses every
 * secret.
 */
export function loadEncryptionKey(path: string): Buffer {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const made = `${path}.${process.pid}`
  writeFileSync(made, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 })
  try {
    // Linking fails when the file exists, so that two replicas starting at once agree on one key and neither reads half
    // of it.
    linkSync(made, path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    rmSync(made, { force: true })
  }
  const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64')
  if (key.length !== 32) throw new Error(`${path} must hold 32 bytes in base64, it holds ${key.length}`)
  return key
}
