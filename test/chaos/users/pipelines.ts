import type { Pipeline } from '@hearth/contract'
import { simulatedRun } from '../../system/pipeline-world.ts'
import type { Intents } from '../check/history.ts'
import type { Action } from '../plan/actions.ts'
import type { Api } from './api.ts'
import { until } from './awaiting.ts'
import type { Own } from './own.ts'

export type PipelineAction = Extract<
  Action,
  {
    do:
      | 'make pipeline'
      | 'start pipeline'
      | 'await pipeline'
      | 'stop pipeline'
      | 'clear pipeline'
      | 'delete pipeline'
  }
>

/** Carries out what users do with pipelines, and records the answers. What is refused was not promised. */
export class PipelineWork {
  constructor(private readonly options: { api: Api; intents: Intents }) {}

  async act(action: PipelineAction, own: Own): Promise<void> {
    const { api } = this.options
    if (action.do === 'make pipeline') return this.make(action.told, own)
    const { pipeline } = own
    if (pipeline === null || pipeline.deleted) return
    const path = `/v1/pipelines/${pipeline.id}`
    switch (action.do) {
      case 'start pipeline':
        await api.ask('POST', `${path}/start`, { dismissError: true })
        return
      case 'await pipeline':
        await until<Pipeline>(api, path, ({ status }) => status.phase === 'running' || status.error !== null)
        return
      case 'stop pipeline':
        await api.ask('POST', `${path}/stop`, { force: action.force })
        return
      case 'clear pipeline':
        await api.ask('POST', `${path}/clear`)
        return
      case 'delete pipeline': {
        const { status } = await api.ask('DELETE', path)
        // It may be gone already, if the answer to an earlier try was lost.
        if (status < 300 || status === 404) pipeline.deleted = true
      }
    }
  }

  private async make(told: Intents['pipelines'][number]['told'], own: Own): Promise<void> {
    const { api, intents } = this.options
    const name = `pipeline-${intents.pipelines.length + 1}`
    const configuration = { run: simulatedRun({ running: told, apart: 0.3 }), check: 'sleep 0.1' }
    const program = { toolchain: 'command', code: 'told', configuration }
    const spec = { program, runtime: { storageMebibytes: 64 } }
    const { status, text } = await api.ask('POST', '/v1/pipelines', { name, spec })
    if (status !== 201) return
    own.pipeline = { id: (JSON.parse(text) as Pipeline).metadata.id, told, deleted: false }
    intents.pipelines.push(own.pipeline)
  }
}
