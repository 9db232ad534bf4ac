import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert'
import { GuestMisbehaved, type Origin, StaleInGuest } from './guest.ts'
import type { GuestProcesses, GuestRun, RunEvent } from './process.ts'

export interface ProcessContractSetting {
  processes: GuestProcesses
  /** A folder in which the guest can run something. */
  folder: string
  /** Cuts the machine's power and boots it again. */
  restart(): Promise<void>
}

type Ended = Extract<RunEvent, { kind: 'ended' }>

/** The contract of the tasks and services of every guest: each promise is the name and the body of a test. */
export const processContract: readonly (readonly [
  promise: string,
  holds: (setting: ProcessContractSetting) => Promise<void>,
])[] = [
  [
    'what the guest does not know has no run, and is stopped and forgotten at once',
    async ({ processes }) => {
      strictEqual(await processes.newestRun(id, patience()), null)
      await processes.stop(id, origin(), patience())
      await processes.forget(id, origin(), patience())
      strictEqual(await processes.newestRun(id, patience()), null)
    },
  ],
  [
    'a run tells that it is ready, what it prints in order, and its exit code',
    async (setting) => {
      const run = runOf(setting, 'echo one; sleep 0.2; echo two; exit 3', { request: 7, restarts: 2 })
      const { output, ready, ended } = await follow(setting, run)
      deepStrictEqual([output, ready], ['one\ntwo\n', [ended.run.startedAt]])
      const { number, request, restarts, readyAt, ending } = ended.run
      deepStrictEqual([number, request, restarts, readyAt], [1, 7, 2, ended.run.startedAt])
      deepStrictEqual([ending?.cause, ending?.exitCode, ending?.signal], ['exit', 3, null])
      ok((ending?.finishedAt ?? 0) >= ended.run.startedAt + 200)
      strictEqual(ended.outputBytes, 8)
      deepStrictEqual(await setting.processes.newestRun(id, patience()), ended.run)
    },
  ],
  [
    'a signal is told apart from an exit code',
    async (setting) => {
      const { ended } = await follow(setting, runOf(setting, 'kill -9 $$'))
      const { cause, exitCode, signal } = ended.run.ending ?? {}
      deepStrictEqual([cause, exitCode, signal], ['signal', null, 'SIGKILL'])
    },
  ],
  [
    'a run is started once, however often and by however many it is asked for',
    async (setting) => {
      const run = runOf(setting, 'echo begun; sleep 0.4; echo end')
      const all = await Promise.all([1, 2, 3].map(() => follow(setting, run)))
      all.push(await follow(setting, run))
      for (const one of all) deepStrictEqual(one, all[0])
      strictEqual(all[0]?.output, 'begun\nend\n')
    },
  ],
  [
    'who is interrupted leaves the run going on, and others follow it from any byte on',
    async (setting) => {
      const run = runOf(setting, 'echo first; sleep 0.6; echo second')
      const leaving = new AbortController()
      await rejects(async () => {
        for await (const event of setting.processes.follow(run, 0, origin(), leaving.signal))
          if (event.kind === 'output') leaving.abort(new Error('has left'))
      })
      const known = await setting.processes.newestRun(id, patience())
      deepStrictEqual([known?.number, known?.ending], [1, null])
      const rest = await follow(setting, run, { offset: 6 })
      deepStrictEqual([rest.output, rest.ended.outputBytes], ['second\n', 13])
      strictEqual((await follow(setting, run, { offset: 3 })).output, 'st\nsecond\n')
      strictEqual((await follow(setting, run, { offset: 13 })).output, '')
    },
  ],
  [
    'a run that never ends is stopped, which may be done twice',
    async (setting) => {
      const stop = () => setting.processes.stop(id, origin(), patience())
      const stopped: Promise<void>[] = []
      const { ended } = await follow(setting, runOf(setting, 'echo here; sleep infinity'), {
        onOutput: () => stopped.push(stop()),
      })
      await Promise.all(stopped)
      deepStrictEqual([ended.run.ending?.cause, ended.run.ending?.signal], ['stopped', 'SIGTERM'])
      await stop()
      deepStrictEqual(await setting.processes.newestRun(id, patience()), ended.run)
    },
  ],
  [
    'a run reads what is wished of its process, also what was wished before it began, and the newest counts',
    async (setting) => {
      const { processes } = setting
      const tell = (wish: string) => processes.tell(id, wish, origin(), patience())
      await tell('stay')
      const command = [
        'until [ "$(<"$HEARTH_WISH")" = stay ]; do sleep 0.05; done; echo stays',
        'until [ "$(<"$HEARTH_WISH")" = go ]; do sleep 0.05; done; echo goes; exit 3',
        '# simulated: on stay after 0 print stays',
        '# simulated: on go after 0 print goes',
        '# simulated: on go after 0 exit 3',
      ].join('\n')
      const told: Promise<void>[] = []
      const { output, ended } = await follow(setting, runOf(setting, command), {
        onOutput: () => told.push(tell('go')),
      })
      await Promise.all(told)
      deepStrictEqual([output, ended.run.ending?.exitCode], ['stays\ngoes\n', 3])
      await rejects(processes.tell(id, 'stay', origin(0), patience()), StaleInGuest)
    },
  ],
  [
    'what was wished is gone when the machine was off, or the process forgotten',
    async (setting) => {
      const { processes } = setting
      const command =
        '[ -e "$HEARTH_WISH" ] || echo nothing; sleep 0.2; exit 0\n# simulated: after 0 print nothing\n# simulated: on go after 0 print told\n# simulated: after 0.2 exit 0'
      await processes.tell(id, 'go', origin(), patience())
      await setting.restart()
      strictEqual((await follow(setting, runOf(setting, command))).output, 'nothing\n')
      await processes.tell(id, 'go', origin(), patience())
      await processes.forget(id, origin(), patience())
      strictEqual((await follow(setting, runOf(setting, command))).output, 'nothing\n')
    },
  ],
  [
    'a run is ended at its deadline',
    async (setting) => {
      const { ended } = await follow(setting, runOf(setting, 'sleep infinity', { limitSeconds: 1 }))
      strictEqual(ended.run.ending?.cause, 'deadline')
    },
  ],
  [
    'a run is ready when its log says so, and ended if it does not in time',
    async (setting) => {
      const readiness = { kind: 'log', contains: 'listening', periodSeconds: 1, deadlineSeconds: 30 } as const
      const good = await follow(
        setting,
        runOf(setting, 'sleep 0.2; echo listening; sleep 1.5; exit 0', { readiness }),
      )
      strictEqual(good.ready.length, 1)
      ok((good.ready[0] ?? 0) >= good.ended.run.startedAt + 200)
      strictEqual(good.ended.run.readyAt, good.ready[0])
      const late = { ...readiness, deadlineSeconds: 1 }
      const bad = await follow(setting, runOf(setting, 'sleep infinity', { number: 2, readiness: late }))
      deepStrictEqual(
        [bad.ready, bad.ended.run.readyAt, bad.ended.run.ending?.cause],
        [[], null, 'not_ready'],
      )
    },
  ],
  [
    'a run waits for the end of the one before, which is known as well; one before that is lost',
    async (setting) => {
      const second: ReturnType<typeof follow>[] = []
      const one = await follow(setting, runOf(setting, 'echo 1; sleep 0.5'), {
        onOutput: () => second.push(follow(setting, runOf(setting, 'echo 2', { number: 2, request: 2 }))),
      })
      const [two] = await Promise.all(second)
      ok(two !== undefined)
      ok(two.ended.run.startedAt >= (one.ended.run.ending?.finishedAt ?? Number.POSITIVE_INFINITY))
      deepStrictEqual((await follow(setting, runOf(setting, 'echo 1'))).ended, one.ended)
      await follow(setting, runOf(setting, 'echo 4', { number: 4 }))
      const gone = await follow(setting, runOf(setting, 'echo 3', { number: 3 }))
      deepStrictEqual([gone.output, gone.ended.run.ending?.cause], ['', 'lost'])
    },
  ],
  [
    'a run that its machine went down under is lost with what it had printed, and not run again',
    async (setting) => {
      const run = runOf(setting, 'echo begun; sleep infinity', { request: 5 })
      const down: Promise<void>[] = []
      const { output, ended } = await follow(setting, run, {
        onOutput: () => down.push(setting.restart()),
      })
      await Promise.all(down)
      strictEqual(output, 'begun\n')
      const { request, ending } = ended.run
      deepStrictEqual([request, ending?.cause, ending?.exitCode, ending?.signal], [5, 'lost', null, null])
      deepStrictEqual(await setting.processes.newestRun(id, patience()), ended.run)
      deepStrictEqual((await follow(setting, run)).ended, ended)
      const next = await follow(setting, runOf(setting, 'exit 4', { number: 2, request: 6 }))
      strictEqual(next.ended.run.ending?.exitCode, 4)
    },
  ],
  [
    'how a run ended and what it printed are known after a restart',
    async (setting) => {
      const run = runOf(setting, 'echo said; exit 4')
      const before = await follow(setting, run)
      await setting.restart()
      deepStrictEqual(await setting.processes.newestRun(id, patience()), before.ended.run)
      const after = await follow(setting, run)
      deepStrictEqual([after.output, after.ended], ['said\n', before.ended])
    },
  ],
  [
    'a process is forgotten when it has no run, and begins anew',
    async (setting) => {
      const { processes } = setting
      const forget = () => processes.forget(id, origin(), patience())
      const refused: Promise<void>[] = []
      const refuseAndStop = async () => {
        await rejects(forget(), GuestMisbehaved)
        await processes.stop(id, origin(), patience())
      }
      await follow(setting, runOf(setting, 'echo here; sleep infinity', { number: 3 }), {
        onOutput: () => refused.push(refuseAndStop()),
      })
      strictEqual(refused.length, 1)
      await Promise.all(refused)
      await forget()
      await forget()
      strictEqual(await processes.newestRun(id, patience()), null)
      strictEqual((await follow(setting, runOf(setting, 'exit 5'))).ended.run.ending?.exitCode, 5)
    },
  ],
  [
    'an older agent or order starts no run, stops none and forgets none; who only looks may be older',
    async (setting) => {
      const { processes } = setting
      const run = runOf(setting, 'echo here; sleep infinity')
      const newer = origin(2, 3)
      const others: Promise<unknown>[] = []
      const end = async () => {
        for (const older of [origin(1, 9), origin(2, 2)]) {
          await rejects(processes.stop(id, older, patience()), StaleInGuest)
          await rejects(processes.forget(id, older, patience()), StaleInGuest)
        }
        await processes.stop(id, newer, patience())
      }
      const look = () =>
        others.push(follow(setting, run, { from: origin(1, 1), onOutput: () => others.push(end()) }))
      const { ended } = await follow(setting, run, { from: newer, onOutput: look })
      strictEqual(ended.run.ending?.cause, 'stopped')
      await Promise.all(others)
      const second = runOf(setting, 'echo never', { number: 2 })
      await rejects(follow(setting, second, { from: origin(2, 2) }), StaleInGuest)
      strictEqual((await processes.newestRun(id, patience()))?.number, 1)
    },
  ],
]

const id = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'
const patience = () => AbortSignal.timeout(60_000)
const origin = (epoch = 1, generation = 1): Origin => ({ runnerId: 'runner-1', epoch, generation })

function runOf({ folder }: ProcessContractSetting, command: string, more: Partial<GuestRun> = {}): GuestRun {
  return {
    ...{ processId: id, number: 1, request: 1, restarts: 0, command, folder, user: 'root' },
    ...{ variables: {}, limitSeconds: null, stopSignal: 'SIGTERM', graceSeconds: 5 },
    ...{ memoryMebibytes: null, cpus: null, readiness: null },
    ...more,
  }
}

interface Following {
  offset?: number
  from?: Origin
  /** Called once, at the first output. */
  onOutput?: () => unknown
}

async function follow(
  { processes }: ProcessContractSetting,
  run: GuestRun,
  { offset = 0, from = origin(), onOutput }: Following = {},
): Promise<{ output: string; ready: number[]; ended: Ended }> {
  let output = ''
  const ready: number[] = []
  let position = offset
  for await (const event of processes.follow(run, offset, from, patience())) {
    if (event.kind === 'output') {
      strictEqual(event.offset, position)
      position += event.chunk.length
      if (output === '') onOutput?.()
      output += event.chunk.toString()
    } else if (event.kind === 'ready') ready.push(event.at)
    else return { output, ready, ended: event }
  }
  throw new Error('the run was followed to no end')
}
