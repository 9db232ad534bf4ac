import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

// ssh2 is a CommonJS package and reads `__dirname` when it is loaded, which does not exist in a bundle of ES modules.
// This file must be imported first.
Object.assign(globalThis, { __dirname: dirname(fileURLToPath(import.meta.url)) })
