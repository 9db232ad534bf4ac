import { untilEnvironment } from '../system/following.ts'
import type { Service } from './service.ts'
import { latenciesOf } from './statistics.ts'
import { plain, type Row } from './table.ts'

const machines = 10
const [lines, everyMilliseconds] = [1_000, 10]
const mostMilliseconds = 300

/** How late lines reach a reader, by when synthetic machines print them: what is measured is the way from the agent. */
export async function measureLines(service: Service): Promise<Row[]> {
  const { client } = service
  await service.startAgent('lines', { HEARTH_AGENT_HOST: 'synthetic' })
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name: 'lines' })
  const environmentClassId = (await client.environmentClasses.get('small')).metadata.id
  const made = await Promise.all(
    Array.from({ length: machines }, () =>
      client.environments.create({ spec: { projectId, environmentClassId } }),
    ),
  )
  for (const { metadata } of made)
    await untilEnvironment(client, metadata.id, ({ status }) => status.phase === 'running')
  const pause = `sleep ${everyMilliseconds / 1_000}`
  const command = Array.from({ length: lines }, (_, line) => `echo ${line};${pause}`).join(';')
  const began = performance.now()
  const late = await Promise.all(made.map(({ metadata }) => followLines(service, metadata.id, command)))
  const { p50, p99 } = latenciesOf(late.flat(), (performance.now() - began) / 1_000)
  return [
    plain(`a line to its reader, ${machines} machines, p50`, p50, 'ms'),
    { ...plain(`a line to its reader, ${machines} machines, p99`, p99, 'ms'), most: mostMilliseconds },
  ]
}

/** Milliseconds between when each line was printed and when it was read here. */
async function followLines({ client }: Service, environment: string, command: string): Promise<number[]> {
  const { metadata } = await client.tasks.create({ spec: { environment, command } })
  const arrivals: number[] = []
  let text = ''
  for await (const chunk of client.tasks.logs(metadata.id, {
    follow: true,
    signal: AbortSignal.timeout(120_000),
  })) {
    text += chunk.text
    const whole = text.split('\n').length - 1
    while (arrivals.length < whole) arrivals.push(Date.now())
  }
  if (arrivals.length !== lines) throw new Error(`${arrivals.length} of ${lines} lines were read`)
  const { status } = await client.tasks.get(metadata.id)
  const startedAt = Date.parse(status.run?.startedAt ?? '')
  return arrivals.map((at, line) => at - (startedAt + line * everyMilliseconds))
}
