import { setTimeout as delay } from 'node:timers/promises'
import type { Api } from './api.ts'

/** How long a user waits for what was promised. */
const patience = 8_000

/** The resource when it is as wanted; null where it is gone, or the user loses patience. */
export async function until<Resource>(
  api: Api,
  path: string,
  isWanted: (resource: Resource) => boolean,
  patienceMilliseconds = patience,
): Promise<Resource | null> {
  const end = performance.now() + patienceMilliseconds
  while (performance.now() < end) {
    const { status, text } = await api.ask('GET', path)
    if (status !== 200) return null
    const resource = JSON.parse(text) as Resource
    if (isWanted(resource)) return resource
    await delay(60)
  }
  return null
}

interface WithPhase {
  status: { phase: string }
}

/** Whether the resource comes into a phase while the user waits. */
export async function reaches(api: Api, path: string, phase: string): Promise<boolean> {
  const isOver = ({ status }: WithPhase) => [phase, 'failed', 'deleted', 'deleting'].includes(status.phase)
  const reached = await until<WithPhase>(api, path, isOver)
  return reached?.status.phase === phase
}
