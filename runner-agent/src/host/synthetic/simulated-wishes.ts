import { z } from 'zod'
import type { RunEnding } from '../../guest/process.ts'

/** What was wished of a process, and when, in milliseconds since 1970. */
const simulatedWishSchema = z.object({ at: z.number(), wish: z.string() })
export const simulatedWishesSchema = z.array(simulatedWishSchema)
export type SimulatedWish = z.infer<typeof simulatedWishSchema>

export interface Performance {
  printed: { at: number; text: string }[]
  /** How it ends by itself. */
  end: RunEnding | null
}

interface Declaration {
  /** The wish that it follows; null for the start of the run. */
  on: string | null
  afterMilliseconds: number
  does: { print: string } | { exit: number }
}

const pattern = /^# simulated: (?:on (\S+) )?after (\d+(?:\.\d+)?) (?:print (.*)|exit (\d{1,3}))$/

/**
 * A run whose command declares what it does, in comments that real guests pass over: `# simulated: after SECONDS print TEXT`,
 * `# simulated: after SECONDS exit CODE`, and both with `on WISH` before `after`, which counts from that wish, unless
 * another one comes first. Null for a command that declares nothing.
 */
export function performDeclared(
  { command, startedAt }: { command: string; startedAt: number },
  wishes: readonly SimulatedWish[],
): Performance | null {
  const declared = command.split('\n').flatMap((line) => toDeclaration(line) ?? [])
  if (declared.length === 0) return null
  const causes = [
    { on: null, from: startedAt, until: Number.POSITIVE_INFINITY },
    ...wishes.map(({ at, wish }, index) => ({
      on: wish,
      from: Math.max(startedAt, at),
      until: wishes[index + 1]?.at ?? Number.POSITIVE_INFINITY,
    })),
  ]
  const done = causes
    .flatMap(({ on, from, until }) =>
      declared
        .filter((each) => each.on === on)
        .map(({ afterMilliseconds, does }) => ({ at: from + afterMilliseconds, until, does })),
    )
    .filter(({ at, until }) => at < until)
    // Stable, so that what follows the later of two wishes is later.
    .sort((one, other) => one.at - other.at)
  const last = done.find(({ does }) => 'exit' in does)
  return {
    printed: done.flatMap(({ at, does }) =>
      'print' in does && (last === undefined || at <= last.at) ? { at, text: `${does.print}\n` } : [],
    ),
    end:
      last !== undefined && 'exit' in last.does
        ? { finishedAt: last.at, cause: 'exit', exitCode: last.does.exit & 255, signal: null }
        : null,
  }
}

function toDeclaration(line: string): Declaration | null {
  const [, on = null, seconds, text, code] = pattern.exec(line) ?? []
  if (seconds === undefined) return null
  return {
    on,
    afterMilliseconds: Math.round(Number(seconds) * 1_000),
    does: code === undefined ? { print: text ?? '' } : { exit: Number(code) },
  }
}
