import type { Volume } from '@hearth/contract'
import type { Intents } from '../check/history.ts'
import type { Action } from '../plan/actions.ts'
import type { Api } from './api.ts'
import { reaches } from './awaiting.ts'
import type { Own } from './own.ts'

export type VolumeAction = Extract<
  Action,
  { do: 'attach volume' | 'detach volume' | 'clear volume' | 'delete volume' }
>

/** Carries out what users do with volumes, and records the answers. What is refused was not promised. */
export class VolumeWork {
  constructor(private readonly options: { api: Api; intents: Intents }) {}

  async act(action: VolumeAction, own: Own): Promise<void> {
    const { api } = this.options
    if (action.do === 'attach volume') return this.attach(own)
    const { volume } = own
    if (volume === null || volume.deleted) return
    const path = `/v1/volumes/${volume.id}`
    switch (action.do) {
      case 'detach volume': {
        const { force } = action
        const { status } = await api.ask('POST', `${path}/detach`, { force })
        if (status < 300) volume.environmentId = null
        return
      }
      case 'clear volume': {
        await reaches(api, path, 'available')
        const { status } = await api.ask('POST', `${path}/clear`, { force: false })
        if (status < 300) volume.clears += 1
        return
      }
      case 'delete volume': {
        const { status } = await api.ask('DELETE', `${path}?force=true`)
        // It may be gone already, if the answer to an earlier try was lost.
        if (status < 300 || status === 404) volume.deleted = true
      }
    }
  }

  private async attach(own: Own): Promise<void> {
    const { api } = this.options
    const volume = own.volume ?? (await this.make())
    own.volume = volume
    if (volume === null || volume.deleted || own.environment === null) return
    const { id } = own.environment
    if (!(await reaches(api, `/v1/environments/${id}`, 'running'))) return
    const path = `/v1/volumes/${volume.id}`
    const { status } = await api.ask('POST', `${path}/attach`, { environment: id })
    if (status >= 300) return
    volume.environmentId = id
    if (await reaches(api, path, 'attached')) volume.seenAt ??= Date.now()
  }

  private async make(): Promise<Intents['volumes'][number] | null> {
    const { api, intents } = this.options
    const name = `v${intents.volumes.length + 1}`
    const { status, text } = await api.ask('POST', '/v1/volumes', { name, spec: { sizeMebibytes: 64 } })
    if (status !== 201) return null
    const { metadata } = JSON.parse(text) as Volume
    const volume = { id: metadata.id, environmentId: null, clears: 0, seenAt: null, deleted: false }
    intents.volumes.push(volume)
    return volume
  }
}
