import type { Environment, Fork, Snapshot } from '@hearth/contract'
import type { Intents } from '../check/history.ts'
import type { Action } from '../plan/actions.ts'
import type { Api } from './api.ts'
import { reaches } from './awaiting.ts'
import type { Own } from './own.ts'

export type SnapshotAction = Extract<
  Action,
  {
    do: 'snapshot' | 'checkpoint' | 'restore' | 'fork' | 'copy' | 'start from snapshot' | 'delete snapshot'
  }
>

export interface SnapshotWorkOptions {
  api: Api
  runnerIds: readonly string[]
  intents: Intents
  projectId(name: string): string
}

/** Carries out what users do with snapshots, and records the answers. What is refused was not promised. */
export class SnapshotWork {
  constructor(private readonly options: SnapshotWorkOptions) {}

  async act(action: SnapshotAction, own: Own): Promise<void> {
    const { api, intents, runnerIds, projectId } = this.options
    switch (action.do) {
      case 'snapshot': {
        if (own.environment === null || !(await this.runs(own.environment.id))) return
        const spec = { environment: own.environment.id, memory: action.memory }
        return this.note(own, await api.ask('POST', '/v1/snapshots', { spec }))
      }
      case 'checkpoint':
        if (own.claim === null || !(await this.isBound(own.claim.id))) return
        return this.note(own, await api.ask('POST', `/v1/claims/${own.claim.id}/checkpoint`, {}))
      case 'restore':
        if (own.claim === null || own.snapshot === null || !(await this.isReady(own.snapshot.id))) return
        await api.ask('POST', `/v1/claims/${own.claim.id}/restore`, {})
        return
      case 'fork': {
        if (own.claim === null || !(await this.isBound(own.claim.id))) return
        const { count, cold } = action
        const { status, text } = await api.ask('POST', `/v1/claims/${own.claim.id}/fork`, { count, cold })
        if (status !== 201) return
        const { claims, environments } = JSON.parse(text) as Fork
        claims.forEach(({ metadata }, index) => {
          const environment = environments[index]
          intents.claims.push({
            id: metadata.id,
            environmentId: environment?.metadata.id ?? null,
            projectId: own.claim?.projectId ?? '',
            released: false,
          })
        })
        return
      }
      case 'copy':
        if (own.snapshot === null || !(await this.isReady(own.snapshot.id))) return
        await api.ask('POST', `/v1/snapshots/${own.snapshot.id}/copies`, { runner: runnerIds[action.runner] })
        return
      case 'start from snapshot': {
        if (own.snapshot === null || !(await this.isReady(own.snapshot.id))) return
        const classes = await api.want<{ items: { metadata: { id: string } }[] }>(
          'GET',
          '/v1/environment-classes?name=small',
        )
        const spec = {
          projectId: projectId(action.project),
          environmentClassId: classes.items[0]?.metadata.id,
          source: { snapshotId: own.snapshot.id, memory: action.memory },
        }
        const { status, text } = await api.ask('POST', '/v1/environments', { spec })
        if (status !== 201) return
        const { metadata } = JSON.parse(text) as Environment
        intents.environments.push({ id: metadata.id, desiredPhase: 'running' })
        return
      }
      case 'delete snapshot': {
        if (own.snapshot === null) return
        const path = `/v1/snapshots/${own.snapshot.id}?force=${action.force}`
        const { status } = await api.ask('DELETE', path)
        if (status < 300) own.snapshot.deleted = true
      }
    }
  }

  private note(own: Own, { status, text }: { status: number; text: string }): void {
    if (status !== 201) return
    own.snapshot = { id: (JSON.parse(text) as Snapshot).metadata.id, deleted: false }
    this.options.intents.snapshots.push(own.snapshot)
  }

  private runs = (id: string) => reaches(this.options.api, `/v1/environments/${id}`, 'running')
  private isBound = (id: string) => reaches(this.options.api, `/v1/claims/${id}`, 'bound')
  private isReady = (id: string) => reaches(this.options.api, `/v1/snapshots/${id}`, 'ready')
}
