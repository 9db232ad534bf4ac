import { setTimeout as delay } from 'node:timers/promises'
import type { ApplyResult, Claim, Environment, WaitFor } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { newPublicKey } from '../../system/public-key.ts'
import type { History, Intents } from '../check/history.ts'
import { failingCommand } from '../children/messages.ts'
import type { Action, Subject } from '../plan/actions.ts'
import type { Answer, Api } from './api.ts'
import type { Own } from './own.ts'
import { PipelineWork } from './pipelines.ts'
import { PrebuildWork } from './prebuilds.ts'
import { RouteWork } from './routes.ts'
import { SnapshotWork } from './snapshots.ts'
import { TaskWork } from './tasks.ts'
import { VolumeWork } from './volumes.ts'
import { WebAppWork } from './web-apps.ts'

const repository = { url: 'https://git.example/shop.git', name: 'shop' }

export interface WorkOptions {
  api: Api
  runnerIds: readonly string[]
  /** The secret that must never appear in plain text. */
  secret: string
}

type KnownProject = Intents['projects'][number] & { poolId: string; setUpFails: boolean }

/** Carries out the users' actions and records the answers. */
export class Work {
  readonly intents: Intents = {
    ...{ projects: [], environments: [], claims: [], snapshots: [], prebuilds: [], processes: [] },
    routes: [],
    volumes: [],
    webApps: [],
    pipelines: [],
  }
  readonly repeats: History['repeats'] = []
  private readonly publicKey = newPublicKey()
  private readonly projects = new Map<string, KnownProject>()
  private readonly snapshots: SnapshotWork
  private readonly prebuilds: PrebuildWork
  private readonly tasks: TaskWork
  private readonly routes: RouteWork
  private readonly volumes: VolumeWork
  private readonly webApps: WebAppWork
  private readonly pipelines: PipelineWork
  private setups = 0

  constructor(private readonly options: WorkOptions) {
    const projectId = (name: string) => this.project(name).id
    this.snapshots = new SnapshotWork({ ...options, intents: this.intents, projectId })
    this.tasks = new TaskWork({ ...options, intents: this.intents })
    this.routes = new RouteWork({ ...options, intents: this.intents })
    this.volumes = new VolumeWork({ ...options, intents: this.intents })
    this.webApps = new WebAppWork({ ...options, intents: this.intents })
    this.pipelines = new PipelineWork({ ...options, intents: this.intents })
    this.prebuilds = new PrebuildWork({
      ...options,
      intents: this.intents,
      project: (name) => this.project(name),
    })
  }

  /** Resolves when every user has finished. */
  async do(subjects: readonly Subject[]): Promise<void> {
    const began = performance.now()
    // Users of a project wait until it has been made.
    const applied = new Map<string, Promise<void>>()
    const follow = async ({ actions }: Subject) => {
      const own: Own = {
        ...{ claim: null, environment: null, snapshot: null, prebuild: null },
        ...{ task: null, service: null, processes: [], route: null, volume: null, webApp: null },
        pipeline: null,
      }
      for (const action of actions) {
        await delay(Math.max(0, began + action.at - performance.now()))
        if ('project' in action && action.do !== 'apply') await applied.get(action.project)
        const done = this.act(action, own)
        if (action.do === 'apply') applied.set(action.project, done)
        await done
      }
    }
    // Users who make projects begin first, so that the others know whom to wait for.
    const makers = subjects.filter(({ actions }) => actions[0]?.do === 'apply')
    await Promise.all([
      ...makers.map(follow),
      delay(250).then(() => Promise.all(subjects.filter((subject) => !makers.includes(subject)).map(follow))),
    ])
  }

  private async act(action: Action, own: Own): Promise<void> {
    const { api, runnerIds } = this.options
    switch (action.do) {
      case 'apply':
        return this.apply(action)
      case 'change set-up': {
        const project = this.project(action.project)
        this.setups += 1
        const setup = action.fails ? [failingCommand] : [`make ${this.setups}`]
        // A prebuild that has not begun is made of what the project says when it begins, which may be before the answer.
        project.setUpChanged = true
        this.prebuilds.setUpChanged(project.id, action.fails)
        await api.want('PATCH', `/v1/projects/${action.project}`, { spec: { setup } })
        project.setUpFails = action.fails
        return
      }
      case 'resize': {
        const project = this.project(action.project)
        const { min } = action
        const running = project.running === null ? null : Math.min(project.running, min)
        await api.want('PATCH', `/v1/warm-pools/${project.poolId}`, { spec: { min, running } })
        Object.assign(project, { min, running })
        return
      }
      case 'delete project': {
        const project = this.project(action.project)
        const { status } = await api.ask('DELETE', `/v1/projects/${project.id}?force=${action.force}`)
        // It may be gone already, if the answer to an earlier try was lost.
        if (status >= 300 && status !== 404) return
        project.deleted = true
        project.forced = action.force
        return
      }
      case 'claim':
        return this.claim(action, own)
      case 'release': {
        if (own.claim === null) return
        const { status } = await api.ask('DELETE', `/v1/claims/${own.claim.id}`)
        if (status < 300) own.claim.released = true
        return
      }
      case 'create environment':
        return this.createEnvironment(action.project, own)
      case 'power': {
        if (own.environment === null) return
        const body = { spec: { desiredPhase: action.desiredPhase } }
        return this.note(own, await api.ask('PATCH', `/v1/environments/${own.environment.id}`, body))
      }
      case 'retry':
        if (own.environment === null) return
        return this.note(own, await api.ask('POST', `/v1/environments/${own.environment.id}/retry`))
      case 'delete environment': {
        if (own.environment === null) return
        const { status } = await api.ask('DELETE', `/v1/environments/${own.environment.id}`)
        if (status < 300) own.environment.desiredPhase = 'deleted'
        return
      }
      case 'restore':
        // What runs goes down with its machine, which is put back.
        for (const process of own.processes) Object.assign(process, { mayBeLost: true, isPutBack: true })
        return this.snapshots.act(action, own)
      case 'snapshot':
      case 'checkpoint':
      case 'fork':
      case 'copy':
      case 'start from snapshot':
      case 'delete snapshot':
        return this.snapshots.act(action, own)
      case 'run prebuild':
      case 'await prebuild':
      case 'cancel prebuild':
      case 'delete prebuild':
        return this.prebuilds.act(action, own)
      case 'run task':
      case 'await task':
      case 'start task':
      case 'stop task':
      case 'run service':
      case 'start service':
      case 'stop service':
        return this.tasks.act(action, own)
      case 'expose':
      case 'lead elsewhere':
      case 'conceal':
        return this.routes.act(action, own)
      case 'attach volume':
      case 'detach volume':
      case 'clear volume':
      case 'delete volume':
        return this.volumes.act(action, own)
      case 'make web app':
      case 'deploy':
      case 'await deployment':
      case 'promote':
      case 'delete web app':
        return this.webApps.act(action, own)
      case 'make pipeline':
      case 'start pipeline':
      case 'await pipeline':
      case 'stop pipeline':
      case 'clear pipeline':
      case 'delete pipeline':
        return this.pipelines.act(action, own)
      case 'drain':
      case 'enable': {
        const scheduling = action.do === 'drain' ? 'draining' : 'enabled'
        await api.want('PATCH', `/v1/runners/${runnerIds[action.runner]}`, { spec: { scheduling } })
      }
    }
  }

  private async apply(action: Extract<Action, { do: 'apply' }>): Promise<void> {
    const { project: name, min, rest, secret, prebuilds } = action
    const fails = prebuilds?.fails === true
    const made = await this.options.api.want<ApplyResult>('POST', '/v1/apply', {
      apiVersion: 'hearth/v1',
      name,
      setup: [fails ? failingCommand : 'make'],
      secrets: secret ? { TOKEN: this.options.secret } : {},
      warmPools: [{ min, ...(rest === undefined ? {} : { running: rest.running, rest: rest.how }) }],
      ...(prebuilds === null ? {} : { prebuilds: { classes: ['small'], keep: prebuilds.keep } }),
      // The one secret that the machine of a prebuild is told.
      ...(prebuilds !== null && secret ? { repositories: [{ ...repository, token: 'TOKEN' }] } : {}),
    })
    const project: Intents['projects'][number] = {
      ...{ id: made.projectId, name, min, running: rest?.running ?? null, deleted: false, forced: false },
      setUpChanged: false,
    }
    const poolId = made.warmPools[0]?.id ?? ''
    this.projects.set(name, Object.assign(project, { poolId, setUpFails: fails }))
    this.intents.projects.push(project)
  }

  private async claim(action: Extract<Action, { do: 'claim' }>, own: Own): Promise<void> {
    const { api } = this.options
    const key = newId()
    const { project, fallback, binds, lifetimeSeconds } = action
    const spec = {
      project,
      fallback,
      publicKey: this.publicKey,
      ...(binds === undefined ? {} : bound(binds)),
      ...(lifetimeSeconds === undefined ? {} : { life: { lifetimeSeconds } }),
    }
    const ask = (): Promise<Answer> => api.ask('POST', '/v1/claims', { spec }, key)
    const first = await ask()
    if (first.status !== 201) return
    const { metadata, status } = JSON.parse(first.text) as Claim
    own.claim = {
      id: metadata.id,
      environmentId: status.environmentId,
      projectId: this.project(project).id,
      // It ends by itself.
      released: lifetimeSeconds !== undefined,
    }
    this.intents.claims.push(own.claim)
    if (action.again) this.repeats.push({ key, first: first.text, again: (await ask()).text })
  }

  private async createEnvironment(projectName: string, own: Own): Promise<void> {
    const { api } = this.options
    const classes = await api.want<{ items: { metadata: { id: string } }[] }>(
      'GET',
      '/v1/environment-classes?name=small',
    )
    const spec = {
      projectId: this.project(projectName).id,
      environmentClassId: classes.items[0]?.metadata.id,
    }
    const { status, text } = await api.ask('POST', '/v1/environments', { spec })
    if (status !== 201) return
    own.environment = { id: (JSON.parse(text) as Environment).metadata.id, desiredPhase: 'running' }
    this.intents.environments.push(own.environment)
  }

  /** Records what an environment should be from now on, according to the answer. */
  private note({ environment }: Own, { status, text }: Answer): void {
    if (environment !== null && status < 300)
      environment.desiredPhase = (JSON.parse(text) as Environment).spec.desiredPhase
  }

  private project(name: string): KnownProject {
    const project = this.projects.get(name)
    if (project === undefined) throw new Error(`project ${name} was not made`)
    return project
  }
}

/** What a claim has bound to its machine. */
const bound = (waitFor: WaitFor) => ({
  variables: { STAGE: 'chaos', TOKEN: { value: 'a-secret-of-a-claim', secret: true } },
  hostname: 'claimed',
  startCommand: 'make run',
  waitFor,
})
