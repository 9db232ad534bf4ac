import { toError } from '@hearth/foundation'
import { Conformance } from './conformance.ts'
import { isStreamed, readOperations } from './operations.ts'
import { Random } from './random.ts'
import { type FuzzRequest, requestFor } from './request.ts'

export interface Target {
  url: string
  /** Tokens of one organization with several roles, used equally often. */
  tokens: readonly string[]
  /** The current content of everything that requests may change. */
  records(): Promise<ReadonlySet<string>>
}

export interface Outcome {
  /** How many answers had each status. */
  statuses: Record<number, number>
  violations: string[]
}

const absent = '01a1fa4e-603f-7430-bf4f-d3db55a95706'
const together = 8
const chunk = 40
const mostIds = 200
/** A request without an answer for this long counts as hung. */
const hangMilliseconds = 30_000

/** Sends `count` random requests, and reports everything the target did that it must not do. */
export async function fuzzHttp(
  target: Target,
  options: { count: number; seed: number; pause?: (sent: number) => Promise<void> },
): Promise<Outcome> {
  const operations = await readOperations(target.url)
  const conformance = new Conformance()
  const random = new Random(options.seed)
  const ids = [absent]
  const outcome: Outcome = { statuses: {}, violations: [] }
  const violation = ({ method, path, body }: FuzzRequest, what: string) =>
    outcome.violations.push(`${method} ${path.slice(0, 300)} ${body?.slice(0, 300) ?? ''}: ${what}`)

  const send = async (request: FuzzRequest): Promise<number> => {
    try {
      const { status, text, isStream } = await answerTo(target.url, request)
      outcome.statuses[status] = (outcome.statuses[status] ?? 0) + 1
      if (status >= 500) violation(request, `${status} ${text.slice(0, 300)}`)
      const fault = isStream ? null : conformance.faultOf(request.operation, status, text)
      if (fault !== null) violation(request, fault)
      if (status === 201) ids.push(...madeIds(text))
      if (ids.length > mostIds) ids.splice(1, ids.length - mostIds)
      return status
    } catch (error) {
      violation(request, `no answer: ${toError(error).message} ${String(toError(error).cause ?? '')}`)
      return 0
    }
  }

  for (let sent = 0; sent < options.count; sent += chunk) {
    const requests = Array.from({ length: Math.min(chunk, options.count - sent) }, () =>
      requestFor(operations, random, target.tokens, ids),
    )
    const refused: FuzzRequest[] = []
    await inTurns(requests, async (request) => {
      const status = await send(request)
      if (status >= 400 && status < 500) refused.push(request)
    })
    const changed = await changedBy(target, refused, send)
    const [first] = refused
    if (changed.length > 0 && first !== undefined) {
      const batch = refused.map(({ method, path, body }) => `${method} ${path} ${body ?? ''}`.slice(0, 300))
      const what = ['one of these was refused and changed something:', ...batch, ...changed.slice(0, 20)]
      violation(first, what.join('\n  '))
    }
    await options.pause?.(sent + requests.length)
  }
  return outcome
}

/**
 * What refused requests change when they are sent again: rows, or that one is accepted. Earlier changes are still being
 * carried out meanwhile, so only differences that appear every time count.
 */
async function changedBy(
  target: Target,
  requests: readonly FuzzRequest[],
  send: (request: FuzzRequest) => Promise<number>,
): Promise<string[]> {
  let refused = requests
  const changed: string[] = []
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const before = await target.records()
    const again: FuzzRequest[] = []
    const taken: string[] = []
    await inTurns(refused, async (request) => {
      const status = await send(request)
      if (status >= 400 && status < 500) again.push(request)
      else taken.push(`${status} ${request.method} ${request.path} ${request.body ?? ''}`)
    })
    const after = await target.records()
    const gone = [...before].filter((record) => !after.has(record)).map((record) => `- ${record}`)
    const come = [...after].filter((record) => !before.has(record)).map((record) => `+ ${record}`)
    if (taken.length + gone.length + come.length === 0) return []
    changed.push(`attempt ${attempt + 1}:`, ...taken, ...gone, ...come)
    refused = again
  }
  return changed
}

async function inTurns<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = items.values()
  const worker = async () => {
    for (const item of left) await work(item)
  }
  await Promise.all(Array.from({ length: together }, worker))
}

async function answerTo(url: string, { method, path, headers, body }: FuzzRequest) {
  const response = await fetch(url + path, {
    method,
    headers,
    signal: AbortSignal.timeout(hangMilliseconds),
    ...(body === undefined ? {} : { body }),
  })
  const isStream = isStreamed(response.headers)
  if (isStream) await response.body?.cancel()
  return { status: response.status, text: isStream ? '' : await response.text(), isStream }
}

function madeIds(text: string): string[] {
  const made = JSON.parse(text) as { id?: unknown; metadata?: { id?: unknown }; observer?: { id?: unknown } }
  return [made.id, made.metadata?.id, made.observer?.id].filter((id) => typeof id === 'string')
}
