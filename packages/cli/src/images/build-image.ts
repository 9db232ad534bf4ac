import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { HearthError } from '@hearth/foundation'
import { installation } from '../installation.ts'

export interface ImageBuild {
  folder: string
  name: string
  variant: string
  /** What is added to it; null for nothing. */
  addition: 'web' | null
  variables: Readonly<Record<string, string | undefined>>
  signal: AbortSignal
}

/** The options that say which image it is. */
export const imageOptions = ({
  name,
  variant,
  addition,
}: Pick<ImageBuild, 'name' | 'variant' | 'addition'>) => [
  ...['--name', name, '--variant', variant],
  ...(addition === null ? [] : ['--with', addition]),
]

/**
 * Runs the build script of deploy/images, which does nothing when the folder already holds this image; reports each
 * line it prints.
 */
export function buildImage(build: ImageBuild, tell: (line: string) => void): Promise<void> {
  const words = ['--output', build.folder, ...imageOptions(build)]
  return new Promise((resolve, reject) => {
    const child = spawn(installation.buildBaseImage, words, {
      stdio: ['ignore', 'inherit', 'pipe'],
      env: { ...build.variables },
      // Detached from the terminal: on Ctrl-C this process ends the build and waits until it has cleaned up.
      detached: true,
    })
    const end = () => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM')
    }
    build.signal.addEventListener('abort', end, { once: true })
    const lines: string[] = []
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line)
      tell(line.replace(/^base-image: /, ''))
    })
    child.once('error', (cause) =>
      reject(new HearthError('unavailable', `the image build could not start: ${cause.message}`, { cause })),
    )
    child.once('close', (code) => {
      build.signal.removeEventListener('abort', end)
      if (code === 0) return resolve()
      if (build.signal.aborted) return reject(build.signal.reason as Error)
      const last = lines.slice(-15).join('\n')
      return reject(new HearthError('unavailable', `building the base image failed:\n${last}`))
    })
  })
}
