import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

// ssh2 is a CommonJS package and names its folder when it is loaded; in one bundle of ES modules there is no such
// name. Imported before anything else.
Object.assign(globalThis, { __dirname: dirname(fileURLToPath(import.meta.url)) })
