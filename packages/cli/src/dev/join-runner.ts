import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HearthClient } from '@hearth/client'
import type { RunnerCreated } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { z } from 'zod'
import { writePrivateFile } from '../private-file.ts'

/** The agent's identity, in runner.json in its folder. */
export const runnerIdentitySchema = z.object({ url: z.string(), runnerId: z.uuid(), token: z.string() })
export type RunnerIdentity = z.infer<typeof runnerIdentitySchema>

export interface RunnerWish {
  name: string
  region: string
  labels: Record<string, string>
}

/**
 * Ensures that an agent's folder holds the identity of a runner that the control plane knows, and returns the
 * runner's id. A runner of this name that never had an agent is left over from an interrupted join and is created
 * again.
 */
export async function joinRunner(
  client: HearthClient,
  wish: RunnerWish,
  options: { folder: string; signal: AbortSignal },
): Promise<string> {
  const { folder, signal } = options
  // QEMU's user must be able to enter the folder to reach the disks; secret files in it have their own permissions.
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o711)
  const path = join(folder, 'runner.json')
  const known = readIdentity(path)
  if (known !== null && (await isKnown(client, known.runnerId, signal))) {
    writePrivateFile(path, identityText({ ...known, url: client.url }))
    return known.runnerId
  }
  const { runner, token } = await create(client, wish, signal)
  writePrivateFile(path, identityText({ url: client.url, runnerId: runner.metadata.id, token }))
  return runner.metadata.id
}

async function create(client: HearthClient, wish: RunnerWish, signal: AbortSignal): Promise<RunnerCreated> {
  const body = { name: wish.name, labels: wish.labels, spec: { region: wish.region } }
  try {
    return await client.runners.create(body, { signal })
  } catch (error) {
    if (!(error instanceof HearthError) || error.code !== 'conflict') throw error
    const taken = await client.runners.get(wish.name, { signal })
    if (taken.status.phase !== 'created') throw error
    await client.runners.delete(taken.metadata.id, { signal })
    return await client.runners.create(body, { signal })
  }
}

async function isKnown(client: HearthClient, runnerId: string, signal: AbortSignal): Promise<boolean> {
  try {
    const { status } = await client.runners.get(runnerId, { signal })
    return status.phase !== 'deleted'
  } catch (error) {
    if (error instanceof HearthError && error.code === 'not_found') return false
    throw error
  }
}

function readIdentity(path: string): RunnerIdentity | null {
  if (!existsSync(path)) return null
  const parsed = runnerIdentitySchema.safeParse(JSON.parse(readFileSync(path, 'utf8')))
  if (parsed.success) return parsed.data
  throw new HearthError('invalid', `${path} does not hold a runner's url, runnerId and token`)
}

function identityText(identity: RunnerIdentity): string {
  return `${JSON.stringify(identity, null, 2)}\n`
}
