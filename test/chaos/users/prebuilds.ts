import { type Prebuild, type PrebuildPhase, prebuildPhases } from '@hearth/contract'
import type { Intents } from '../check/history.ts'
import type { Action } from '../plan/actions.ts'
import type { Answer, Api } from './api.ts'
import { until } from './awaiting.ts'
import type { Own } from './own.ts'

export type PrebuildAction = Extract<
  Action,
  { do: 'run prebuild' | 'await prebuild' | 'cancel prebuild' | 'delete prebuild' }
>

export interface PrebuildWorkOptions {
  api: Api
  intents: Intents
  project(name: string): { id: string; setUpFails: boolean }
}

const ended: readonly PrebuildPhase[] = ['completed', 'failed', 'cancelled', 'deleting', 'deleted']

/** A prebuild waits for its turn, and takes longer than a machine: without this, few users would start from one. */
const patienceMilliseconds = 30_000

/** Carries out what users do with prebuilds, and records the answers. What is refused was not promised. */
export class PrebuildWork {
  constructor(private readonly options: PrebuildWorkOptions) {}

  async act(action: PrebuildAction, own: Own): Promise<void> {
    const { api, project } = this.options
    if (action.do === 'run prebuild') {
      const { id, setUpFails } = project(action.project)
      const spec = { projectId: id, incremental: action.incremental }
      return this.note(own, setUpFails, await api.ask('POST', '/v1/prebuilds', { spec }))
    }
    const { prebuild } = own
    if (prebuild === null) return
    const path = `/v1/prebuilds/${prebuild.id}`
    switch (action.do) {
      case 'await prebuild':
        await until<Prebuild>(api, path, ({ status }) => ended.includes(status.phase), patienceMilliseconds)
        if (action.memory) await until<Prebuild>(api, path, keepsMemoryOrNever)
        return
      case 'cancel prebuild': {
        await until<Prebuild>(api, path, ({ status }) => from(action.in).includes(status.phase))
        const { status } = await api.ask('POST', `${path}/cancel`, {})
        if (status < 300) prebuild.wanted = 'cancelled'
        return
      }
      case 'delete prebuild': {
        await until<Prebuild>(api, path, ({ status }) => from(action.in).includes(status.phase))
        const { status } = await api.ask('DELETE', `${path}?force=${action.force}`)
        if (status < 300) prebuild.wanted = 'deleted'
      }
    }
  }

  /** What a project does from now on may be what a prebuild of it does that has not begun. */
  setUpChanged(projectId: string, fails: boolean): void {
    for (const prebuild of this.options.intents.prebuilds)
      if (prebuild.projectId === projectId && prebuild.setUp !== (fails ? 'fails' : 'works'))
        prebuild.setUp = 'either'
  }

  private note(own: Own, setUpFails: boolean, { status, text }: Answer): void {
    if (status !== 201) return
    const { metadata, spec } = JSON.parse(text) as Prebuild
    own.prebuild = {
      id: metadata.id,
      projectId: spec.projectId,
      wanted: 'completed',
      setUp: setUpFails ? 'fails' : 'works',
    }
    this.options.intents.prebuilds.push(own.prebuild)
  }
}

/** A pool that wants no machines wants no memory: then the user loses patience. */
function keepsMemoryOrNever({ status: { phase, templates } }: Prebuild): boolean {
  return phase !== 'completed' || templates.some((template) => template.phase === 'ready')
}

/** The phase, and those that come after it or instead of it. */
function from(phase: PrebuildPhase): readonly PrebuildPhase[] {
  return [...prebuildPhases.slice(prebuildPhases.indexOf(phase)), ...ended]
}
