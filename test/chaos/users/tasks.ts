import type { ProcessPhase, Service, Task } from '@hearth/contract'
import { crashRestarts, type Intents } from '../check/history.ts'
import type { Action } from '../plan/actions.ts'
import type { Answer, Api } from './api.ts'
import { reaches, until } from './awaiting.ts'
import type { Own } from './own.ts'

export type TaskAction = Extract<
  Action,
  {
    do:
      | 'run task'
      | 'await task'
      | 'start task'
      | 'stop task'
      | 'run service'
      | 'start service'
      | 'stop service'
  }
>

export interface TaskWorkOptions {
  api: Api
  intents: Intents
}

/** How often, and after which pause, a service is started again that crashes. */
const crashRestart = { policy: 'always', limit: crashRestarts, firstSeconds: 1, mostSeconds: 1 }

type WantedProcess = Intents['processes'][number]
type Place = { claim: string } | { environment: string }

const ended: readonly ProcessPhase[] = ['stopped', 'succeeded', 'failed']

/** Carries out what users do with tasks and services, and records the answers. What is refused was not promised. */
export class TaskWork {
  private services = 0

  constructor(private readonly options: TaskWorkOptions) {}

  async act(action: TaskAction, own: Own): Promise<void> {
    const { api } = this.options
    switch (action.do) {
      case 'run task': {
        const place = await this.placeOf(own)
        if (place === null) return
        const exitCode = action.fails ? 3 : 0
        const command = `echo one; sleep ${action.seconds}; exit ${exitCode}`
        const answer = await api.ask('POST', '/v1/tasks', { spec: { ...place, command } })
        own.task = this.note(own, answer, exitCode) ?? own.task
        return
      }
      case 'await task':
        if (own.task === null) return
        await until<Task>(api, pathOf(own.task), ({ status }) => ended.includes(status.phase))
        return
      case 'run service': {
        const place = await this.placeOf(own)
        if (place === null) return
        this.services += 1
        const runs = action.crashes
          ? { command: 'sleep 0.5; exit 3', restart: crashRestart }
          : { command: 'sleep infinity' }
        const body = { name: `service-${this.services}`, spec: { ...place, ...runs } }
        const answer = await api.ask('POST', '/v1/services', body)
        own.service = this.note(own, answer, action.crashes ? 3 : null) ?? own.service
        return
      }
      case 'start task':
      case 'start service':
        return this.start(action.do === 'start task' ? own.task : own.service)
      case 'stop task':
      case 'stop service':
        return this.stop(action.do === 'stop task' ? own.task : own.service)
    }
  }

  /** Where the user has a machine: that of the claim, once it is bound. */
  private async placeOf({ claim, environment }: Own): Promise<Place | null> {
    if (environment !== null) return { environment: environment.id }
    if (claim === null || !(await reaches(this.options.api, `/v1/claims/${claim.id}`, 'bound'))) return null
    return { claim: claim.id }
  }

  private note(own: Own, { status, text }: Answer, exitCode: number | null): WantedProcess | null {
    if (status !== 201) return null
    const { kind, metadata, spec } = JSON.parse(text) as Task | Service
    const process: WantedProcess = {
      ...{ id: metadata.id, kind, environmentId: spec.environmentId, exitCode },
      ...{
        request: spec.request,
        starts: 1,
        stopped: false,
        mayBeLost: own.environment !== null,
        isPutBack: false,
      },
    }
    this.options.intents.processes.push(process)
    own.processes.push(process)
    return process
  }

  private async start(process: WantedProcess | null): Promise<void> {
    if (process === null) return
    const { status, text } = await this.options.api.ask('POST', `${pathOf(process)}/start`, {})
    if (status >= 300) return
    process.request = (JSON.parse(text) as Task | Service).spec.request
    process.starts += 1
    process.stopped = false
  }

  private async stop(process: WantedProcess | null): Promise<void> {
    if (process === null) return
    const { status } = await this.options.api.ask('POST', `${pathOf(process)}/stop`, {})
    if (status < 300) process.stopped = true
  }
}

const pathOf = ({ kind, id }: WantedProcess) => `/v1/${kind === 'Task' ? 'tasks' : 'services'}/${id}`
