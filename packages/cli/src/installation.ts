import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Both packages/cli/src/installation.ts and packages/cli/dist/main.js are three folders below it.
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

/** Paths of the other parts of Hearth, relative to this command. */
export const installation = {
  root,
  controlPlane: join(root, 'control-plane', 'dist', 'main.js'),
  agent: join(root, 'runner-agent', 'dist', 'main.js'),
  buildBaseImage: join(root, 'deploy', 'images', 'build-base-image.sh'),
  quickstart: join(root, 'examples', 'quickstart'),
} as const
