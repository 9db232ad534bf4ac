import type { Deployment, WebApp } from '@hearth/contract'
import { appZip } from '../../system/app-zip.ts'
import type { Intents } from '../check/history.ts'
import type { Action } from '../plan/actions.ts'
import type { Api } from './api.ts'
import { reaches, until } from './awaiting.ts'
import type { Own } from './own.ts'

export type WebAppAction = Extract<
  Action,
  { do: 'make web app' | 'deploy' | 'await deployment' | 'promote' | 'delete web app' }
>

/** Carries out what users do with web apps, and records the answers. What is refused was not promised. */
export class WebAppWork {
  constructor(private readonly options: { api: Api; intents: Intents }) {}

  async act(action: WebAppAction, own: Own): Promise<void> {
    const { api } = this.options
    if (action.do === 'make web app') return this.make(own)
    const { webApp } = own
    if (webApp === null || webApp.deleted) return
    switch (action.do) {
      case 'deploy': {
        const body = await archiveThat(action.fails)
        const { status, text } = await api.ask('POST', `/v1/spaces/${webApp.uatId}/deployments`, body)
        if (status === 201) webApp.deployments.push((JSON.parse(text) as Deployment).metadata.id)
        return
      }
      case 'await deployment': {
        const id = webApp.deployments.at(-1)
        const isOver = ({ status }: Deployment) => ['succeeded', 'failed', 'cancelled'].includes(status.phase)
        if (id !== undefined) await until<Deployment>(api, `/v1/deployments/${id}`, isOver)
        return
      }
      case 'promote': {
        const { status, text } = await api.ask('POST', `/v1/spaces/${webApp.uatId}/promote`, {})
        if (status === 201) webApp.deployments.push((JSON.parse(text) as Deployment).metadata.id)
        return
      }
      case 'delete web app': {
        const { status } = await api.ask('DELETE', `/v1/web-apps/${webApp.id}`)
        // It may be gone already, if the answer to an earlier try was lost.
        if (status < 300 || status === 404) webApp.deleted = true
      }
    }
  }

  private async make(own: Own): Promise<void> {
    const { api, intents } = this.options
    if (own.environment === null) return
    const { id: environmentId } = own.environment
    if (!(await reaches(api, `/v1/environments/${environmentId}`, 'running'))) return
    const name = `app-${intents.webApps.length + 1}`
    const spec = { environment: environmentId, runtime: 'nodejs' }
    const { status, text } = await api.ask('POST', '/v1/web-apps', { name, spec })
    if (status !== 201) return
    const { metadata, status: made } = JSON.parse(text) as WebApp
    own.webApp = { id: metadata.id, environmentId, uatId: made.spaceIds.uat, deployments: [], deleted: false }
    intents.webApps.push(own.webApp)
  }
}

/** An app with a release command and one process; what a synthetic guest is to run stands in lines of its own. */
function archiveThat(fails: 'release' | 'process' | null): Promise<Buffer> {
  const release = fails === 'release' ? 'exit 4' : 'true'
  const command = fails === 'process' ? 'exit 5' : 'sleep infinity'
  return appZip(
    `[deploy]\nrelease_commands = ["\\n${release}\\n"]\n[processes.web]\ncommand = "\\n${command}\\n"\nhttp = true\n`,
  )
}
