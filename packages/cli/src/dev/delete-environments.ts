import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { HearthClient } from '@hearth/client'
import { type Environment, environmentSchema } from '@hearth/contract'
import { z } from 'zod'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { followUntil } from '../following/follow-until.ts'
import { goneIsNull } from '../kinds/gone-is-null.ts'
import { writePrivateFile } from '../private-file.ts'

interface DeletionOptions {
  stateFolder: string
  seconds: number
  note(text: string): void
}

/**
 * Deletes every environment and returns when no machine is left on any host. Pools are switched off first, since they
 * would otherwise create new ones; the state folder records which, so that the next start switches them on again.
 */
export async function deleteEnvironments(client: HearthClient, options: DeletionOptions): Promise<void> {
  const timeout = AbortSignal.timeout(options.seconds * 1_000)
  const pools = await client.warmPools.listAll({})
  const enabled = pools.filter(({ spec }) => spec.enabled).map(({ metadata }) => metadata.id)
  rememberSwitchedOff(options.stateFolder, enabled)
  for (const id of enabled) await client.warmPools.update(id, { spec: { enabled: false } })
  const present = await presentEnvironments(client)
  rmSync(join(options.stateFolder, 'access'), { recursive: true, force: true })
  if (present.length === 0) return
  options.note(`deleting ${present.length} ${present.length === 1 ? 'machine' : 'machines'}`)
  const left = new Set(present.map(({ metadata }) => metadata.id))
  const asked = new Set<string>()
  const ask = async (environments: readonly Environment[]) => {
    for (const { metadata } of environments) {
      if (asked.has(metadata.id)) continue
      asked.add(metadata.id)
      await client.environments.delete(metadata.id).catch(goneIsNull)
    }
  }
  try {
    await followUntil(client, {
      signal: timeout,
      kind: 'Environment',
      read: async () => {
        const now = await presentEnvironments(client)
        left.clear()
        for (const { metadata } of now) left.add(metadata.id)
        await ask(now)
        return left.size === 0
      },
      take: (event) => {
        const environment = environmentSchema.safeParse(event.resource)
        if (environment.success && isGone(environment.data)) left.delete(event.resourceId)
        return left.size === 0
      },
    })
  } catch (error) {
    if (!timeout.aborted) throw error
    const ids = [...left].join(', ')
    throw new CommandError(
      `after ${options.seconds} s these machines are still there: ${ids}`,
      exitCodes.failure,
    )
  }
}

/** Switches on the pools that `deleteEnvironments` switched off in an earlier run. */
export async function switchPoolsOn(client: HearthClient, stateFolder: string): Promise<void> {
  for (const id of switchedOff(stateFolder))
    await client.warmPools.update(id, { spec: { enabled: true } }).catch(goneIsNull)
  rmSync(switchedOffPath(stateFolder), { force: true })
}

function rememberSwitchedOff(stateFolder: string, ids: readonly string[]): void {
  const all = [...new Set([...switchedOff(stateFolder), ...ids])]
  if (all.length > 0) writePrivateFile(switchedOffPath(stateFolder), JSON.stringify(all))
}

function switchedOff(stateFolder: string): string[] {
  const path = switchedOffPath(stateFolder)
  return existsSync(path) ? z.array(z.uuid()).parse(JSON.parse(readFileSync(path, 'utf8'))) : []
}

function switchedOffPath(stateFolder: string): string {
  return join(stateFolder, 'switched-off-pools.json')
}

async function presentEnvironments(client: HearthClient): Promise<Environment[]> {
  return (await client.environments.listAll({})).filter((environment) => !isGone(environment))
}

function isGone({ status }: Environment): boolean {
  return status.phase === 'deleted'
}
