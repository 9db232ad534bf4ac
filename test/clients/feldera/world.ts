import { newId } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import type { Installation } from '../../system/installation.ts'
import { simulatedRun } from '../../system/pipeline-world.ts'
import { type FelderaClient, felderaClient } from './client.ts'

export const at = (pipeline_name: string) => ({ params: { path: { pipeline_name } } })
export const refused = ({ error, response }: { error?: unknown; response: Response }) => [
  response.status,
  (error as { error_code?: string } | undefined)?.error_code,
]
export const said = ({ data, response }: { data?: unknown; response: Response }) => [response.status, data]

type Action = 'start' | 'stop' | 'pause' | 'resume' | 'activate' | 'approve' | 'clear' | 'dismiss_error'
type Query = Readonly<Record<string, string | boolean>>

/** What tests of the life of pipelines do, asked for and polled as the clients of the interface do. */
export function felderaWorld({ client: native, url, token }: Installation) {
  const client = felderaClient(url, `apikey:${token}`)
  const world = {
    client,
    /** What a program is run with cannot be said there: a pipeline is made natively, and then is one of theirs. */
    async made(
      options: Parameters<typeof simulatedRun>[0] = {},
      more: object = {},
      runtime: object = { takesStandby: true },
    ): Promise<string> {
      const name = `p_${newId().slice(-8)}`
      const configuration = { run: simulatedRun(options), ...more }
      await native.pipelines.create({
        name,
        spec: {
          program: { toolchain: 'command', code: 'x', configuration },
          runtime: { storageMebibytes: 64, ...runtime },
        },
      })
      return name
    },
    async status(name: string) {
      const { data } = await client.GET('/v0/pipelines/{pipeline_name}', {
        params: { path: { pipeline_name: name }, query: { selector: 'status' } },
      })
      if (data === undefined) throw new Error(`there is no pipeline ${name}`)
      return data
    },
    /** As the Python client waits: it asks again until it is so, and gives up on an error that it does not want. */
    poll: (name: string, wanted: (seen: Status) => boolean) =>
      eventually(
        async () => {
          const seen = await world.status(name)
          return wanted(seen) ? seen : null
        },
        { timeoutMilliseconds: 60_000 },
      ),
    untilStatus: (name: string, wanted: Status['deployment_status']) =>
      world.poll(name, (seen) => seen.deployment_status === wanted),
    untilProgram: (name: string, wanted: Status['program_status']) =>
      world.poll(name, (seen) => seen.program_status === wanted),
    ask(pipeline_name: string, action: Action, query: Query = {}) {
      const params = { path: { pipeline_name }, query: query as never }
      return client.POST(`/v0/pipelines/{pipeline_name}/${action}`, { params })
    },
    patch: (name: string, body: object) =>
      client.PATCH('/v0/pipelines/{pipeline_name}', { ...at(name), body }),
    remove: (name: string) => client.DELETE('/v0/pipelines/{pipeline_name}', at(name)),
    /** Does something while no machine is placed on a runner. */
    async whileCordoned<Result>(runner: string, meanwhile: () => Promise<Result>): Promise<Result> {
      const schedule = (scheduling: 'enabled' | 'cordoned') =>
        native.runners.update(runner, { spec: { scheduling } })
      await schedule('cordoned')
      try {
        return await meanwhile()
      } finally {
        await schedule('enabled')
      }
    },
    /** One that runs, or is as it was asked to be. */
    async started(name: string, query: Query = {}, status: Status['deployment_status'] = 'Running') {
      const { response, error } = await world.ask(name, 'start', query)
      if (response.status !== 202) throw new Error(JSON.stringify(error))
      return world.untilStatus(name, status)
    },
    async stopped(name: string): Promise<void> {
      await world.ask(name, 'stop', { force: true })
      await world.untilStatus(name, 'Stopped')
    },
    /** How it was, the oldest first. */
    events: async (name: string) =>
      ((await client.GET('/v0/pipelines/{pipeline_name}/events', at(name))).data ?? []).toReversed(),
  }
  return world
}

type Status = NonNullable<Awaited<ReturnType<typeof statusOf>>['data']>
const statusOf = (client: FelderaClient) => client.GET('/v0/pipelines/{pipeline_name}', at(''))
export type FelderaWorld = ReturnType<typeof felderaWorld>
