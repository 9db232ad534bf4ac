import type { StepOutcome } from '../guest.ts'

/** Reads what the launcher said on the error stream when the step had ended. */
export function parseStepOutcome(text: string): StepOutcome {
  const said = new Map(
    text.split('\n').map((line): [string, string] => {
      const blank = line.indexOf(' ')
      return blank < 0 ? [line, ''] : [line.slice(0, blank), line.slice(blank + 1).trim()]
    }),
  )
  const exit = said.get('exit')
  const times = {
    startedAt: milliseconds(said.get('started')),
    finishedAt: milliseconds(said.get('finished')),
  }
  if (exit === undefined || !Number.isFinite(times.startedAt) || !Number.isFinite(times.finishedAt)) {
    return { kind: 'lost' }
  }
  if (said.has('skipped')) return { kind: 'skipped', times }
  const exitCode = Number(exit)
  if (exitCode === 0) return { kind: 'succeeded', times }
  const [command = '0', cause, limit = '0'] = (said.get('failed') ?? '').split(' ')
  return {
    kind: 'failed',
    exitCode,
    command: Number(command),
    cause: cause === 'deadline' ? 'deadline' : 'exit',
    limitSeconds: Number(limit),
    times,
  }
}

/** Reads the numbers that the guest has seen, as it said them when it refused older ones. */
export function parseStaleNumbers(text: string): { epoch: number; generation: number } {
  const [, epoch = '0', generation = '0'] = /^stale (\d+) (\d+)$/m.exec(text) ?? []
  return { epoch: Number(epoch), generation: Number(generation) }
}

/** Bash's EPOCHREALTIME: seconds with a fraction, after a point or a comma. */
function milliseconds(text: string | undefined): number {
  return text === undefined ? Number.NaN : Math.round(Number(text.replace(',', '.')) * 1000)
}
