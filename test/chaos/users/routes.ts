import type { Route } from '@hearth/contract'
import type { Intents } from '../check/history.ts'
import type { Action } from '../plan/actions.ts'
import type { Api } from './api.ts'
import { reaches } from './awaiting.ts'
import type { Own } from './own.ts'

export type RouteAction = Extract<Action, { do: 'expose' | 'lead elsewhere' | 'conceal' }>

/** Carries out what users do with routes, and records the answers. What is refused was not promised. */
export class RouteWork {
  constructor(private readonly options: { api: Api; intents: Intents }) {}

  async act(action: RouteAction, own: Own): Promise<void> {
    const { api } = this.options
    const { route } = own
    switch (action.do) {
      case 'expose':
        return this.expose(action.port, own)
      case 'lead elsewhere': {
        if (route === null) return
        const { port } = action
        const { status } = await api.ask('PATCH', `/v1/routes/${route.id}`, { spec: { port } })
        if (status < 300) route.port = port
        return
      }
      case 'conceal': {
        if (route === null) return
        const { status } = await api.ask('DELETE', `/v1/routes/${route.id}`)
        // It may be gone already, if the answer to an earlier try was lost.
        if (status < 300 || status === 404) route.deleted = true
      }
    }
  }

  private async expose(port: number, own: Own): Promise<void> {
    const { api, intents } = this.options
    const { claim, environment } = own
    if (environment === null) {
      if (claim === null || !(await reaches(api, `/v1/claims/${claim.id}`, 'bound'))) return
    }
    const place = environment === null ? { claim: claim?.id } : { environment: environment.id }
    const name = `r${intents.routes.length + 1}-${port}`
    const { status, text } = await api.ask('POST', '/v1/routes', {
      name,
      spec: { ...place, port, access: 'public' },
    })
    if (status !== 201) return
    const { metadata, spec } = JSON.parse(text) as Route
    own.route = { id: metadata.id, environmentId: spec.environmentId, port, deleted: false }
    intents.routes.push(own.route)
  }
}
