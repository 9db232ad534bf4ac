import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { toError } from '@hearth/foundation'
import { repeatableRandom } from '@hearth/testing'
import { check } from './check/check.ts'
import type { History, SeenEvent, Versioned, Violation } from './check/history.ts'
import type { Break } from './children/messages.ts'
import { type Counts, countRecords } from './counts.ts'
import { DatabaseReader } from './eyes/database.ts'
import { readLayers, readMachines, readRoutes } from './eyes/hosts.ts'
import { watchLayers } from './eyes/layer-watch.ts'
import { Observer } from './eyes/observer.ts'
import { searchPrebuilds, withReasons } from './eyes/prebuilds.ts'
import { searchLogs } from './eyes/process-logs.ts'
import { read } from './eyes/reader.ts'
import { readEvents, searchStreams } from './eyes/streams.ts'
import { readVolumes } from './eyes/volumes.ts'
import type { Fault } from './plan/faults.ts'
import type { Plan } from './plan/plan.ts'
import { Api } from './users/api.ts'
import { Work } from './users/work.ts'
import { inflict } from './world/inflict.ts'
import type { Slot } from './world/slot.ts'
import { World } from './world/world.ts'

/**
 * How long a run may take to come to rest after its faults; a broken run never does. Counted in looks, about a minute
 * of them on an idle host: under load they take longer, as everything under test does.
 */
const restLooks = { whole: 300, broken: 40 }
const longestRestMilliseconds = 300_000
/** A good state must still be good after this pause. */
const lookMilliseconds = 400

export interface RunOptions {
  break: Break | null
  logLevel: string
}

export interface Outcome {
  plan: Plan
  violations: Violation[]
  /** How often a process died, or was cut off or killed. */
  deaths: number
  /** Answers with a server error. */
  faultAnswers: number
  /** From the end of the faults until everything was as wanted. */
  restSeconds: number
  /** With a break: whether it took place. */
  broken: boolean
  counts: Counts
  /** Folder of the processes' logs. */
  folder: string
}

/** One run from an empty installation to a verdict; a run that could not be carried out counts as failed. */
export async function run(slot: Slot, plan: Plan, options: RunOptions): Promise<Outcome> {
  const world = await World.open(slot, options)
  try {
    return await runIn(world, plan, options)
  } catch (thrown) {
    const message = `the run could not be done: ${toError(thrown).stack}`
    return {
      plan,
      violations: [{ rule: 'answers', message, lasting: true }],
      deaths: world.deaths,
      faultAnswers: 0,
      restSeconds: 0,
      broken: world.broken,
      counts: {},
      folder: world.installation.folder,
    }
  } finally {
    await world.close()
  }
}

async function runIn(world: World, plan: Plan, options: RunOptions): Promise<Outcome> {
  const { installation } = world
  const has = (kind: Fault['kind']) => plan.faults.some((fault) => fault.kind === kind)
  if (has('second control plane')) await world.addControlPlane()
  await world.ready()
  const api = new Api(world.url, installation.token)
  const twice = plan.faults.flatMap((fault) => (fault.kind === 'steps taken twice' ? fault.runner : []))
  await world.addHosts(api, plan, new Set(twice))

  const secret = `chaos-${randomUUID()}`
  const observer = new Observer(world.url, installation.token, secret)
  const readings: Versioned[] = []
  const oversold = new Set<string>()
  const gone = new Set<string>()
  const database = new DatabaseReader(installation.databaseUrl)
  const watching = new AbortController()
  const disturbing = new AbortController()
  try {
    const lost: Violation[] = []
    const unanswered = (thrown: unknown) => {
      lost.push({ rule: 'answers', message: toError(thrown).message, lasting: true })
    }
    const reading = read(api, watching.signal, readings).catch(unanswered)
    const counting = watchCapacity(database, oversold, watching.signal)
    const looking = watchLayers(world.hosts, gone, watching.signal)

    const work = new Work({ api, runnerIds: world.hosts.map(({ runnerId }) => runnerId), secret })
    const disturbed = Promise.all(
      plan.faults.map((fault, index) =>
        inflict(world, fault, repeatableRandom(plan.seed + index), disturbing.signal),
      ),
    )
    await work.do(plan.subjects).catch(unanswered)
    disturbing.abort()
    await disturbed
    for (const program of world.programs) program.spare()
    watching.abort()
    await Promise.all([reading, counting, looking])

    const began = performance.now()
    const look = async (thorough: boolean): Promise<Violation[]> => {
      const records = await withReasons(api, await database.records())
      const nats = thorough ? await world.connectNats() : null
      const history: History = {
        intents: work.intents,
        repeats: work.repeats,
        readings,
        streamed: [...observer.events],
        published: nats === null ? ([] as SeenEvent[]) : await readEvents(nats),
        publishedWhole: nats !== null,
        leaks: [
          ...(observer.leaked ? ['the stream of events over HTTP'] : []),
          ...(nats === null ? [] : await searchStreams(nats, secret)),
          ...(thorough ? await database.search(secret) : []),
          ...(thorough ? await searchPrebuilds(api, records, secret) : []),
          ...(thorough ? await searchLogs(installation.folder, secret) : []),
        ],
        goneLayers: [...gone],
        oversold: [...oversold, ...(await database.oversold())],
        records,
        hosts: await Promise.all(
          world.hosts.map(async ({ runnerId, stateFolder, agents }) => ({
            runnerId,
            agents: agents.filter(({ isAlive }) => isAlive).length,
            machines: await readMachines(stateFolder),
            layers: await readLayers(stateFolder, secret),
            routes: await readRoutes(stateFolder),
            volumes: await readVolumes(stateFolder),
          })),
        ),
        excused: { failedMachines: plan.faults.some(mayFailMachines) },
      }
      await nats?.close()
      return [...lost, ...check(history)]
    }
    const violations = await untilAtRest(look, restLooks[options.break === null ? 'whole' : 'broken'])
    if (violations.length > 0) {
      const dump = {
        violations,
        intents: work.intents,
        ...(await database.records()),
        queue: await database.queue(),
      }
      await writeFile(join(installation.folder, 'records.json'), JSON.stringify(dump, null, 1))
    }
    return {
      plan,
      violations,
      deaths: world.deaths,
      faultAnswers: api.faults,
      restSeconds: (performance.now() - began) / 1_000,
      broken: world.broken,
      counts: countRecords(await database.records()),
      folder: installation.folder,
    }
  } finally {
    watching.abort()
    disturbing.abort()
    await observer.stop()
    await database.close()
  }
}

/** Checks until two consecutive looks find no error, or an error persists. */
async function untilAtRest(
  look: (thorough: boolean) => Promise<Violation[]>,
  looks: number,
): Promise<Violation[]> {
  const end = performance.now() + longestRestMilliseconds
  let calm = 0
  for (let looked = 1; ; looked += 1) {
    const violations = await look(calm > 0)
    if (violations.some(({ lasting }) => lasting)) return violations
    if (violations.length === 0 && calm > 0) return []
    calm = violations.length === 0 ? calm + 1 : 0
    if (violations.length > 0 && (looked >= looks || performance.now() > end)) return violations
    await delay(calm > 0 ? lookMilliseconds : 150)
  }
}

async function watchCapacity(
  database: DatabaseReader,
  oversold: Set<string>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    for (const words of await database.oversold().catch(() => [])) oversold.add(words)
    await delay(300, undefined, { signal }).catch(() => undefined)
  }
}

/**
 * Faults that may rightly make a machine fail: no disk space to be made in, or a clock that jumped past its deadline.
 */
function mayFailMachines({ kind }: Fault): boolean {
  return (
    kind === 'disk full' ||
    kind === 'clock of the control plane jumped' ||
    kind === 'clock of an agent jumped'
  )
}
