import { type RunCause, readinessSchema, stopSignalSchema } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import { z } from 'zod'
import type { RunEnding } from '../../guest/process.ts'
import { type Performance, performDeclared, type SimulatedWish } from './simulated-wishes.ts'

/** What is kept of a simulated run; everything else follows from it. Its variables are not: some are secret. */
export const simulatedRunSchema = z.object({
  number: z.number(),
  request: z.number(),
  restarts: z.number(),
  command: z.string(),
  limitSeconds: z.number().nullable(),
  stopSignal: stopSignalSchema,
  readiness: readinessSchema.nullable(),
  /** Milliseconds since 1970, as the other times are. */
  startedAt: z.number(),
  /** When it was asked to end, and when its machine went down under it. */
  stoppedAt: z.number().nullable(),
  lostAt: z.number().nullable(),
})
export type SimulatedRun = z.infer<typeof simulatedRunSchema>

export interface Simulation {
  /** What it prints, in order. */
  outputs: readonly { at: number; offset: number; text: string }[]
  readyAt: number | null
  /** Null for a run that ends only when somebody ends it. */
  ending: RunEnding | null
}

/**
 * A run as it will have been, if nothing more happens to it. The command is read as statements: `sleep SECONDS` or
 * `sleep infinity`, `echo TEXT`, `exit CODE` and `kill -9 $$` do what they say; others print that they were simulated. Of a
 * script that defines functions, these are read where one is a whole line, and the rest does nothing. It is ready as soon
 * as it is asked, unless it is asked for the path `/unhealthy`. One that declares what it does is not read any further: see
 * `performDeclared`.
 */
export function simulate(
  run: SimulatedRun,
  stepMilliseconds: number,
  wishes: readonly SimulatedWish[] = [],
): Simulation {
  const { printed, end } = performDeclared(run, wishes) ?? perform(run)
  const readyAt = readinessOf(run, printed, stepMilliseconds)
  const unready = run.readiness === null ? null : run.startedAt + run.readiness.deadlineSeconds * 1_000
  const isLate = unready !== null && (readyAt === null || readyAt > unready)
  const cut = (finishedAt: number | null, cause: RunCause): RunEnding | null =>
    finishedAt === null
      ? null
      : { finishedAt, cause, exitCode: null, signal: cause === 'lost' ? null : run.stopSignal }
  const deadline = run.limitSeconds === null ? null : run.startedAt + run.limitSeconds * 1_000
  const ending = [
    end,
    cut(run.stoppedAt, 'stopped'),
    cut(deadline, 'deadline'),
    cut(isLate ? unready : null, 'not_ready'),
    cut(run.lostAt, 'lost'),
  ]
    .filter((each) => each !== null)
    .reduce<RunEnding | null>(
      (first, each) => (first === null || each.finishedAt < first.finishedAt ? each : first),
      null,
    )
  const isBefore = (at: number) => ending === null || at <= ending.finishedAt
  let offset = 0
  const outputs = printed
    .filter(({ at }) => isBefore(at))
    .map(({ at, text }) => {
      const output = { at, text, offset }
      offset += Buffer.byteLength(text)
      return output
    })
  return { outputs, readyAt: readyAt !== null && isBefore(readyAt) ? readyAt : null, ending }
}

function perform({ command, startedAt }: SimulatedRun): Performance {
  const printed: Performance['printed'] = []
  let at = startedAt
  const ended = (exitCode: number | null, signal: string | null): Performance => ({
    printed,
    end: { finishedAt: at, cause: signal === null ? 'exit' : 'signal', exitCode, signal },
  })
  const isScript = /^\w+\(\) \{/m.test(command)
  for (const statement of statementsOf(command, isScript)) {
    const [, seconds] = /^sleep\s+(infinity|\d+(?:\.\d+)?)$/.exec(statement) ?? []
    const [, code] = /^exit(?:\s+(\d{1,3}))?$/.exec(statement) ?? [null, null]
    const [, text] = /^echo(?:\s+(.*))?$/.exec(statement) ?? [null, null]
    if (seconds === 'infinity') return { printed, end: null }
    if (seconds !== undefined) at += Math.round(Number(seconds) * 1_000)
    else if (code !== null) return ended(Number(code ?? 0) & 255, null)
    else if (/^kill\s+-(9|KILL)\s+\$\$$/.test(statement)) return ended(null, 'SIGKILL')
    else if (text !== null) printed.push({ at, text: `${unquoted(text ?? '')}\n` })
    else if (!isScript) printed.push({ at, text: `simulated: ${statement}\n` })
  }
  return ended(0, null)
}

function statementsOf(command: string, isScript: boolean): string[] {
  if (isScript) return command.split('\n')
  return command
    .split(/\n|;|&&/)
    .map((each) => each.trim())
    .filter((each) => each !== '')
}

function unquoted(text: string): string {
  return /^(["'])(.*)\1$/.exec(text)?.[2] ?? text
}

function readinessOf(
  { readiness, startedAt }: SimulatedRun,
  printed: Performance['printed'],
  stepMilliseconds: number,
): number | null {
  if (readiness === null) return startedAt
  switch (readiness.kind) {
    case 'log':
      return printed.find(({ text }) => text.includes(readiness.contains))?.at ?? null
    case 'command':
      return readiness.command.includes('/unhealthy') ? null : startedAt + stepMilliseconds
    case 'tcp':
    case 'http':
      return startedAt + stepMilliseconds
    default:
      return assertNever(readiness)
  }
}
