import { setTimeout as delay } from 'node:timers/promises'
import type { Versioned } from '../check/history.ts'
import type { Api } from '../users/api.ts'

const intervalMilliseconds = 400
const paths = [
  ...['/v1/environments?limit=200', '/v1/warm-pools', '/v1/claims', '/v1/projects', '/v1/prebuilds'],
  ...['/v1/tasks?limit=200', '/v1/services?limit=200'],
]

interface Resource {
  kind: string
  metadata: { id: string }
  specVersion: number
  statusVersion: number
}

/** Polls all resources and records their versions. */
export async function read(api: Api, signal: AbortSignal, seen: Versioned[]): Promise<void> {
  while (!signal.aborted) {
    for (const path of paths) {
      const { items } = await api.want<{ items: Resource[] }>('GET', path)
      for (const { kind, metadata, specVersion, statusVersion } of items) {
        seen.push({ kind, id: metadata.id, specVersion, statusVersion })
      }
    }
    await delay(intervalMilliseconds, undefined, { signal }).catch(() => undefined)
  }
}
