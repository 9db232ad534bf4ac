import type { DescService } from '@bufbuild/protobuf'
import type { Client } from '@connectrpc/connect'
import type { HearthClient } from '@hearth/client'
import { newId } from '@hearth/foundation'
import { type Installation, type InstallationOptions, startInstallation } from '../../system/installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from '../../system/synthetic-agent.ts'
import { connectTo, type Format, formats } from './connect.ts'

export { type Format, formats }

/** An installation with synthetic hosts, and clients of Ona that are given its address and a token. */
export class Ground implements AsyncDisposable {
  private constructor(
    readonly installation: Installation,
    private readonly agents: readonly SyntheticAgent[],
  ) {}

  static async start(options: InstallationOptions = {}): Promise<Ground> {
    const installation = await startInstallation(options)
    const timings = { heartbeat: 200, progressReport: 0 }
    const environment = { HEARTH_SYNTHETIC_COMMANDS: 'run' }
    const slow = { HEARTH_SYNTHETIC_STEP_MILLISECONDS: '300', HEARTH_SYNTHETIC_FREEZE_MILLISECONDS: '600' }
    const quick = startSyntheticAgent(installation, {
      name: 'quick',
      labels: { kind: 'quick' },
      timings,
      environment,
    })
    const agents = [
      await quick,
      await startSyntheticAgent(installation, {
        name: 'slow',
        labels: { kind: 'slow' },
        timings,
        environment: { ...environment, ...slow },
      }),
    ]
    const size = { virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 4, image: 'debian-12' }
    for (const kind of ['quick', 'slow'])
      await installation.client.environmentClasses.create({
        name: kind,
        spec: { ...size, runnerSelector: { kind } },
      })
    return new Ground(installation, agents)
  }

  get native(): HearthClient {
    return this.installation.client
  }

  get baseUrl(): string {
    return `${this.installation.url}/ona`
  }

  /** A client of a service, by default with the installation's token. */
  connect<Service extends DescService>(
    service: Service,
    format: Format = 'binary',
    token = this.installation.token,
    baseUrl = this.baseUrl,
  ): Client<Service> {
    return connectTo(service, { baseUrl, token, format })
  }

  /** A call as the older generation makes it, and its answer as it is. */
  async post(method: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.baseUrl}/${method}`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${this.installation.token}`,
        'Content-Type': 'application/json',
        ...headers,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  }

  async classNamed(name: string): Promise<string> {
    return (await this.native.environmentClasses.get(name)).metadata.id
  }

  /** A project that makes prebuilds of these classes. */
  async project(...classes: string[]): Promise<string> {
    const { projectId } = await this.native.apply({
      apiVersion: 'hearth/v1',
      name: `p-${newId()}`.slice(0, 40),
      setup: ['make'],
      ...(classes.length === 0 ? {} : { prebuilds: { classes } }),
    })
    return projectId
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.agents) await agent[Symbol.asyncDispose]()
    await this.installation[Symbol.asyncDispose]()
  }
}
