import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import type { PipelineToolchain } from '@hearth/contract'
import { z } from 'zod'
import type { ArchivedFile } from './tar.ts'

const stepSchema = z.strictObject({
  /** A line of bash. */
  line: z.string().min(1),
  /** Programs that the machine must have. */
  needs: z.array(z.string().regex(/^[a-z0-9.+-]+$/)).default([]),
  /** The field of a program's configuration that it is given as PIPELINE_LINE, and without which it is left out. */
  configured: z.string().optional(),
})
export type ToolchainStep = z.infer<typeof stepSchema>

const descriptorSchema = z.strictObject({
  /** Other folders whose files it needs beside its own. */
  includes: z.array(z.string().regex(/^[a-z-]+$/)).default([]),
  check: stepSchema.nullable(),
  build: stepSchema.nullable(),
  run: stepSchema,
})

export interface ToolchainFolder {
  steps: Pick<z.infer<typeof descriptorSchema>, 'check' | 'build' | 'run'>
  /** What the machine needs of it, in the order of its names. */
  files: readonly ArchivedFile[]
}

const descriptorName = 'toolchain.json'
/** Of all files of one toolchain together. */
const mostBytes = 8 * 1024 * 1024

const read = new Map<PipelineToolchain, ToolchainFolder>()

/** A toolchain as its folder below `deploy/toolchains` describes it; read once. */
export function toolchainFolder(name: PipelineToolchain): ToolchainFolder {
  const known = read.get(name)
  if (known !== undefined) return known
  const { includes, ...steps } = descriptorSchema.parse(
    JSON.parse(readFileSync(join(toolchains(), name, descriptorName), 'utf8')),
  )
  const files = [name, ...includes]
    .flatMap((folder) => filesOf(join(toolchains(), folder)))
    .sort((one, other) => (one.path < other.path ? -1 : 1))
  const bytes = files.reduce((sum, { content }) => sum + content.length, 0)
  if (bytes > mostBytes)
    throw new Error(`the files of toolchain ${name} have ${bytes} bytes: at most ${mostBytes} are possible`)
  const folder = { steps, files }
  read.set(name, folder)
  return folder
}

function filesOf(folder: string): ArchivedFile[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== descriptorName && entry.name !== 'README.md')
    .map(({ name }) => ({ path: name, content: readFileSync(join(folder, name)) }))
}

/** Both this file and the bundle are below the folder `control-plane`, which stands beside `deploy`. */
function toolchains(): string {
  const here = import.meta.dirname
  const root = here.slice(0, here.lastIndexOf(`${sep}control-plane${sep}`))
  return join(root, 'deploy', 'toolchains')
}
