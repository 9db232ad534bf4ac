import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { installation } from '../installation.ts'
import { run } from '../process/run.ts'
import { buildImage, type ImageBuild, imageOptions } from './build-image.ts'
import { listImages } from './list-images.ts'

export interface ImageNeed extends Omit<ImageBuild, 'folder'> {
  stateFolder: string
}

export type ImageDecision = 'keep' | 'build' | 'keep because machines use it'

/** Disks of machines are overlays over the image they were created from, so another image must not replace it. */
export function decideImage(image: { held: string | null; wanted: string; machines: number }): ImageDecision {
  if (image.held === image.wanted) return 'keep'
  if (image.held === null || image.machines === 0) return 'build'
  return 'keep because machines use it'
}

/** Builds the image unless it is current, or machines use an older one; reports each phase of a build. */
export async function ensureImage(need: ImageNeed, tell: (line: string) => void): Promise<ImageDecision> {
  const images = join(need.stateFolder, 'images')
  const build: ImageBuild = { ...need, folder: join(images, need.name) }
  const held = listImages(images).find(({ folder }) => folder === build.folder)?.fingerprint ?? null
  const wanted = await wantedFingerprint(build)
  const decision = decideImage({ held, wanted, machines: machinesOf(need.stateFolder) })
  if (decision === 'build') await buildImage(build, tell)
  return decision
}

async function wantedFingerprint(build: ImageBuild): Promise<string> {
  const { variables, signal } = build
  const words = ['--print-fingerprint', ...imageOptions(build)]
  const printed = await run(installation.buildBaseImage, words, { environment: variables, signal })
  signal.throwIfAborted()
  // The build itself reports more precisely what it lacks.
  return printed.stdout.trim()
}

/** How many machines have a folder on this host. */
function machinesOf(stateFolder: string): number {
  if (!existsSync(stateFolder)) return 0
  const agents = readdirSync(stateFolder).filter((name) => name.startsWith('agent'))
  return agents
    .map((name) => join(stateFolder, name, 'environments'))
    .filter((folder) => existsSync(folder))
    .reduce((count, folder) => count + readdirSync(folder).length, 0)
}
