import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { installation } from './installation.ts'

const manifest: unknown = JSON.parse(readFileSync(join(installation.root, 'package.json'), 'utf8'))

/** Version of all of Hearth: its parts are released together. */
export const { version } = z.object({ version: z.string() }).parse(manifest)
