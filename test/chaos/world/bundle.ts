import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '../../..')
export const programs = ['control-plane', 'runner-agent'] as const
export type Program = (typeof programs)[number]

/** Next to the shipped bundle, where files that are not bundled are found. */
export const bundleOf = (program: Program) => join(root, program, 'dist', `chaos-${process.pid}.mjs`)

/** Bundles the programs that are killed, so that a start needs no compilation. */
export async function bundlePrograms(): Promise<void> {
  const sourceOf = (program: Program) => join(import.meta.dirname, '../children', `${program}.ts`)
  await Promise.all(programs.map((program) => bundleProgram(sourceOf(program), bundleOf(program))))
}

/** The bundle has to be next to the shipped one of the same program. */
export async function bundleProgram(source: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [source],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    legalComments: 'none',
    // These read files next to themselves at run time, or are native.
    external: ['swagger-ui-dist', 'graphile-worker', 'pg-native', 'cpu-features', '*.node'],
    banner: {
      js: "import { createRequire as hearthCreateRequire } from 'node:module'; const require = hearthCreateRequire(import.meta.url); globalThis.__dirname ??= import.meta.dirname;",
    },
    logLevel: 'warning',
  })
}

export async function removeBundles(): Promise<void> {
  for (const program of programs) await rm(bundleOf(program), { force: true })
}
