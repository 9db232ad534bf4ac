import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isId } from '@hearth/foundation'
import { z } from 'zod'
import { runnersBelow } from '../agents.ts'
import type { Check, Finding } from '../finding.ts'

const check = 'disks and folders'
const machineFileSchema = z.object({ ownership: z.object({ owner: z.string() }) })

export interface FolderFacts {
  path: string
  /** Id of the runner that the folder names as its owner; null when it names none. */
  owner: string | null
  holdsDisk: boolean
}

export const foldersCheck: Check = {
  name: check,
  async examine({ stateFolder, variables }) {
    const { folders, owners } = runnersBelow(stateFolder, variables)
    const machines = folders.flatMap((folder) => entries(join(folder, 'environments'))).map(lookAt)
    const imagesFolder = variables.HEARTH_IMAGES ?? join(stateFolder, 'images')
    return [judgeFolders(machines, owners), ...judgeImages(strangeImages(imagesFolder))]
  },
}

/** Finds what is among the machines' folders and does not belong to Hearth. */
export function judgeFolders(machines: readonly FolderFacts[], owners: readonly string[]): Finding {
  const foreign = machines.filter(({ owner }) => owner === null || !owners.includes(owner))
  if (foreign.length === 0) {
    return {
      check,
      level: 'ok',
      message: `${machines.length} machines have a folder here, all of this state folder`,
    }
  }
  const list = foreign.map(({ path, owner, holdsDisk }) => {
    const whose = owner === null ? 'does not say whose it is' : `runner ${owner}`
    return `${path} (${whose}${holdsDisk ? ', holds a disk' : ''})`
  })
  return {
    check,
    level: 'warning',
    message: `these stand among the machines' folders and no agent of this state folder made them, so they are never touched: ${list.join(', ')}`,
    remedy: 'if nobody needs them: rm -r PATH',
  }
}

export function judgeImages(strange: readonly string[]): Finding[] {
  if (strange.length === 0) return []
  return [
    {
      check,
      level: 'warning',
      message: `these stand among the base images and are none, so they are never used and never touched: ${strange.join(', ')}`,
      remedy: 'an image is a folder with image.json; if nobody needs them: rm -r PATH',
    },
  ]
}

function lookAt(path: string): FolderFacts {
  return {
    path,
    owner: ownerOf(path),
    holdsDisk: existsSync(join(path, 'disk.qcow2')) || /\.(qcow2|img|raw)$/.test(path),
  }
}

/**
 * The owner of a folder: in the name of a folder whose creation or removal was interrupted, otherwise in the file in
 * it.
 */
function ownerOf(path: string): string | null {
  const draft = /\/\.(?:making|removing)-([0-9a-f-]{36})-([0-9a-f-]{36})$/.exec(path)
  if (draft !== null) return draft[1] ?? null
  if (!isId(path.slice(path.lastIndexOf('/') + 1))) return null
  try {
    const text = readFileSync(join(path, 'machine.json'), 'utf8')
    return machineFileSchema.parse(JSON.parse(text)).ownership.owner
  } catch {
    return null
  }
}

function strangeImages(folder: string): string[] {
  return entries(folder).filter((path) => {
    if (!statSync(path).isDirectory()) return true
    // An unfinished build begins with a dot.
    return !existsSync(join(path, 'image.json')) && !path.slice(folder.length + 1).startsWith('.')
  })
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name))
  } catch {
    return []
  }
}
