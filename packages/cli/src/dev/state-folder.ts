import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HearthError, toError } from '@hearth/foundation'
import { writePrivateFile } from '../private-file.ts'

/** Paths of everything in one installation's state folder. */
export interface StatePaths {
  root: string
  programs: string
  postgres: string
  nats: string
  controlPlane: string
  images: string
  logs: string
  context: string
}

export function statePaths(root: string): StatePaths {
  return {
    root,
    programs: join(root, 'programs'),
    postgres: join(root, 'postgres'),
    nats: join(root, 'nats'),
    controlPlane: join(root, 'control-plane'),
    images: join(root, 'images'),
    logs: join(root, 'logs'),
    context: join(root, 'context.json'),
  }
}

/**
 * The folder of agent number `index`, counted from 0. A synthetic agent never shares a folder with one that has real
 * machines.
 */
export function agentFolder(root: string, index: number, synthetic: boolean): string {
  const name = synthetic ? 'agent-synthetic' : 'agent'
  return join(root, index === 0 ? name : `${name}-${index + 1}`)
}

/**
 * Creates the folders: the users that servers and guests run as can enter them; secrets are accessible to their owner
 * only.
 */
export function prepareState(root: string): StatePaths {
  const paths = statePaths(root)
  try {
    for (const folder of [root, paths.programs, paths.images, paths.logs]) {
      mkdirSync(folder, { recursive: true, mode: 0o755 })
    }
    chmodSync(root, 0o755)
    mkdirSync(paths.controlPlane, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new HearthError(
      'invalid',
      `the state folder ${root} cannot be made or written: ${toError(cause).message}; choose another with --state`,
      { cause },
    )
  }
  return paths
}

/** The secret of the first administrator's token, generated once. */
export function bootstrapToken(paths: StatePaths): { file: string; secret: string } {
  const file = join(paths.controlPlane, 'bootstrap-token')
  if (!existsSync(file)) writePrivateFile(file, `hearth_${randomBytes(32).toString('base64url')}`)
  return { file, secret: readFileSync(file, 'utf8').trim() }
}
