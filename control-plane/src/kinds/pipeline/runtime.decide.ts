import {
  type BootstrapPolicy,
  isStorable,
  type PipelineRuntime,
  type PipelineRuntimeDesired,
  pipelineRuntimeSchema,
  startOfText,
} from '@hearth/contract'

/** How a program says that it is. */
export interface Told {
  runtime: PipelineRuntime
  details: unknown
}

/** Characters that are shown of a word that is none. */
const mostShown = 100

/**
 * What a line of the journal says: `{"status", "details"}`. Any status may follow any other, since the program alone knows how it
 * is. A line that says none is of a program that cannot be followed: it is unavailable, with what it said.
 */
export function toldBy(line: string): Told {
  const said = parsed(line)
  if (said === null) return unknown('a line that is no JSON object of texts', line)
  const runtime = pipelineRuntimeSchema.safeParse(said.status)
  if (runtime.success) return { runtime: runtime.data, details: said.details ?? null }
  return unknown('a status that is none', line)
}

function parsed(line: string): { status?: unknown; details?: unknown } | null {
  // What is escaped in a line may be no text that can be kept.
  let isKept = true
  try {
    const said: unknown = JSON.parse(line, (key, value) => {
      if (!isStorable(key) || (typeof value === 'string' && !isStorable(value))) isKept = false
      return value
    })
    return isKept && typeof said === 'object' && said !== null && !Array.isArray(said) ? said : null
  } catch {
    return null
  }
}

const storable = (text: string) => text.toWellFormed().replaceAll('\0', '\ufffd')
const unknown = (what: string, said: string): Told => ({
  runtime: 'unavailable',
  details: { reason: `its program told ${what}: ${startOfText(storable(said), mostShown)}` },
})

/** Seconds for which a program that has a machine and has said nothing is taken to begin. */
export const graceSeconds = 20

/** How the runtime is shown: as it was told, unless nothing can be heard, or nothing was said. */
export function runtimeShown(
  { told, silentRunner, since }: { told: Told | null; silentRunner: string | null; since: Date },
  now: Date,
): Told & { until: Date | null } {
  if (silentRunner !== null)
    return {
      runtime: 'unavailable',
      details: { reason: `nothing is heard of runner ${silentRunner}` },
      until: null,
    }
  if (told !== null) return { ...told, until: null }
  const until = new Date(since.getTime() + graceSeconds * 1000)
  if (now < until) return { runtime: 'initializing', details: null, until }
  const reason = `its program has said nothing for ${graceSeconds} s`
  return { runtime: 'unavailable', details: { reason }, until: null }
}

/** What is wished of the program, as the text that it reads; without spaces and in one order, so that the same is the same. */
export function wishOf(wanted: {
  desired: PipelineRuntimeDesired
  bootstrapPolicy: BootstrapPolicy | null
  bootstrap: { silentBootstrap: boolean; concurrentBootstrap: boolean }
  isApproved: boolean
}): string {
  const { desired, bootstrapPolicy, bootstrap, isApproved } = wanted
  return JSON.stringify({
    desired,
    bootstrap: bootstrapPolicy ?? 'await_approval',
    isApproved,
    ...(bootstrap.silentBootstrap ? { isSilent: true } : {}),
    ...(bootstrap.concurrentBootstrap ? { isConcurrent: true } : {}),
  })
}
