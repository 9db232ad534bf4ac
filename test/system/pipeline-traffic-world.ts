import { join } from 'node:path'
import { type Installation, startInstallation } from './installation.ts'
import type { PipelineRun } from './pipeline-run.ts'
import { pipelineWorld, simulatedRun } from './pipeline-world.ts'
import { startSqlPipeline } from './sql-pipeline.ts'
import { startSyntheticAgent } from './synthetic-agent.ts'

interface Answer {
  status: number
  type: string | null
  text: string
}

/** A pipeline `orders` that runs on a synthetic host, whose port leads to the toolchain `sql` with real processes, and one that rests. */
export interface TrafficWorld extends AsyncDisposable {
  installation: Installation
  /** What answers for `orders`. */
  run: PipelineRun
  ask(method: string, path: string, body?: string, headers?: Record<string, string>): Promise<Answer>
}

const program = `CREATE TABLE orders (id INT NOT NULL PRIMARY KEY, customer VARCHAR(20));
CREATE VIEW n AS SELECT count(*) AS n FROM orders;`

export const asJson = ({ text }: Answer) => JSON.parse(text) as Record<string, unknown>

export async function startTraffic(): Promise<TrafficWorld> {
  const installation = await startInstallation()
  const run = await startSqlPipeline(join(installation.folder, 'run'), program, { desired: 'running' })
  await run.until('running')
  const agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    environment: { HEARTH_SYNTHETIC_PORTS: `8080=${new URL(run.url).host}` },
    timings: { heartbeat: 200, progressReport: 0 },
  })
  const { client } = installation
  for (const name of ['orders', 'resting'])
    await client.pipelines.create({
      name,
      spec: {
        program: { toolchain: 'command', code: 'simulated', configuration: { run: simulatedRun() } },
        runtime: { storageMebibytes: 64 },
      },
    })
  await client.pipelines.start('orders')
  await pipelineWorld(() => installation).untilPhase('orders', 'running')
  return {
    installation,
    run,
    async ask(method, path, body, headers = {}) {
      const answer = await fetch(`${installation.url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${installation.token}`,
          'content-type': 'text/plain',
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
      })
      return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() }
    },
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]()
      await run[Symbol.asyncDispose]()
      await installation[Symbol.asyncDispose]()
    },
  }
}
