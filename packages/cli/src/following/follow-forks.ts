import type { HearthClient } from '@hearth/client'
import {
  claimSchema,
  type Environment,
  type Event,
  environmentSchema,
  type Fork,
  snapshotSchema,
} from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { z } from 'zod'
import { changeLines, environmentLines } from '../output/environment-lines.ts'
import { type Report, runTasks } from '../output/progress.ts'
import { snapshotProgress, snapshotSummary } from '../output/snapshot-text.ts'
import type { Terminal } from '../output/terminal.ts'
import { followUntil } from './follow-until.ts'
import { isNewer } from './pool-state.ts'

/** Shows a snapshot and the forks that start from it live, until each fork has its machine or has failed. */
export async function followForks(
  client: HearthClient,
  fork: Fork,
  options: { terminal: Terminal; clock: Clock; signal: AbortSignal },
): Promise<Fork> {
  const { terminal, clock, signal } = options
  const seen: Fork = { ...fork, claims: [...fork.claims], environments: [...fork.environments] }
  const title = `${fork.claims.length} ${fork.claims.length === 1 ? 'fork' : 'forks'}`
  const hasEnded = () => seen.claims.every(({ status }) => status.phase !== 'pending')
  const work = async (report: Report): Promise<string> => {
    const draw = () =>
      report.state(
        `snapshot ${snapshotProgress(seen.snapshot)}\n${environmentLines(seen.environments, terminal, clock.now())}`,
      )
    const ticking = setInterval(draw, 200)
    try {
      await followUntil(client, {
        signal,
        read: async (reading) => {
          await read(client, seen, report, reading)
          draw()
          return hasEnded()
        },
        take: (event) => {
          take(event, seen, report)
          draw()
          return hasEnded()
        },
      })
    } finally {
      clearInterval(ticking)
    }
    const bound = seen.claims.filter(({ status }) => status.phase === 'bound').length
    if (bound < seen.claims.length) throw new Error(`${title}: ${bound} ready`)
    return `${title}: ready`
  }
  const [shown] = await Promise.allSettled([runTasks(terminal, [{ title, work }], { concurrent: false })])
  // That a fork failed is a result.
  if (shown.status === 'rejected' && !hasEnded()) throw shown.reason
  return seen
}

async function read(client: HearthClient, seen: Fork, report: Report, signal: AbortSignal): Promise<void> {
  takeSnapshot(await client.snapshots.get(seen.snapshot.metadata.id, { signal }), seen, report)
  const environments = seen.environments.map(({ metadata }) =>
    client.environments.get(metadata.id, { signal }),
  )
  for (const environment of await Promise.all(environments)) takeEnvironment(environment, seen, report)
  const claims = seen.claims.map(({ metadata }) => client.claims.get(metadata.id, { signal }))
  for (const claim of await Promise.all(claims)) replace(seen.claims, claim)
}

function take({ kind, resource }: Event, seen: Fork, report: Report): void {
  if (kind === 'Snapshot')
    parsed(snapshotSchema, resource, (snapshot) => takeSnapshot(snapshot, seen, report))
  if (kind === 'Environment')
    parsed(environmentSchema, resource, (environment) => takeEnvironment(environment, seen, report))
  if (kind === 'Claim') parsed(claimSchema, resource, (claim) => replace(seen.claims, claim))
}

function parsed<Value>(schema: z.ZodType<Value>, given: unknown, use: (value: Value) => unknown): void {
  const result = schema.safeParse(given)
  if (result.success) use(result.data)
}

function takeSnapshot(next: Fork['snapshot'], seen: Fork, report: Report): void {
  const { snapshot } = seen
  if (next.metadata.id !== snapshot.metadata.id || !isNewer(next, snapshot)) return
  const isReady = next.status.phase === 'ready' && snapshot.status.phase !== 'ready'
  if (isReady) report.event(`snapshot ${next.metadata.name}: ${snapshotSummary(next)}`)
  else if (snapshotProgress(next) !== snapshotProgress(snapshot))
    report.event(`snapshot ${next.metadata.name}: ${snapshotProgress(next)}`)
  seen.snapshot = next
}

function takeEnvironment(next: Environment, seen: Fork, report: Report): void {
  const before = replace(seen.environments, next)
  if (before !== null) for (const line of changeLines(before, next)) report.event(line)
}

interface Versioned {
  metadata: { id: string }
  specVersion: number
  statusVersion: number
}

/** Puts a newer state of one of them in its place, and returns the one before; null where nothing changed. */
function replace<Item extends Versioned>(items: Item[], next: Item): Item | null {
  const at = items.findIndex(({ metadata }) => metadata.id === next.metadata.id)
  const before = items[at]
  if (before === undefined || !isNewer(next, before)) return null
  items[at] = next
  return before
}
