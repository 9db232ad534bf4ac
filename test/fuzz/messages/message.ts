import { stepNames, streams, subjects, workConsumer } from '@hearth/contract'
import fc from 'fast-check'
import type { HostileRunner } from '../../system/hostile-party.ts'

export interface Message {
  subject: string
  payload: string | Uint8Array
  /** Placeholder for a random id. */
  messageId: string | null
  reply: string | null
}

/** Ids that a runner could know: its own and those of others. */
export interface Known {
  hostile: HostileRunner
  environmentIds: readonly string[]
  runnerIds: readonly string[]
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const extremes: readonly Json[] = [
  null,
  true,
  -1,
  0,
  0.5,
  2_147_483_648,
  3_000_000_000,
  9_007_199_254_740_991,
  1e300,
  '',
  '\0',
  '\ud800',
  '\u001b]0;title\u0007',
  'a\n  ProxyCommand true',
  '-oProxyCommand=true',
  '../../etc/passwd',
  '0000-01-01T00:00:00.000Z',
  '9999-12-31T23:59:59.999Z',
  '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11',
  '>',
  '*',
  'x'.repeat(70_000),
  [],
  {},
  Array.from({ length: 5_000 }, () => null),
]

/** A message that a runner may send on any subject: valid, wrong in one place, wrong in many, or not JSON at all. */
export function anyMessage(known: Known): fc.Arbitrary<Message> {
  const { hostile } = known
  const environmentId = fc.constantFrom(...known.environmentIds)
  const report = fc
    .record({
      id: environmentId,
      sequence: fc.integer({ min: 1, max: 1_000 }),
      phase: fc.constantFrom('provisioning', 'running', 'stopped', 'failed', 'deleted'),
      steps: fc.array(fc.record({ name: fc.constantFrom(...stepNames), output: fc.string() }), {
        maxLength: 4,
      }),
    })
    .map(({ id, sequence, phase, steps }) => ({
      subject: subjects.report(hostile.runnerId, 'environment', id),
      value: hostile.report(id, { sequence, phase, steps: steps.map(fullStep) }) as Json,
    }))
  const log = fc
    .record({ environmentId, step: fc.constantFrom(...stepNames), offset: fc.nat(), text: fc.string() })
    .map((chunk) => ({
      subject: subjects.log(hostile.runnerId, chunk.environmentId, chunk.step),
      value: { ...chunk, end: false, time: '2026-01-01T00:00:00.000Z' } as Json,
    }))
  const presence = fc.record({ environments: fc.nat(), leaving: fc.boolean() }).map((changes) => ({
    subject: subjects.presence(hostile.runnerId),
    value: hostile.presence(changes) as Json,
  }))
  const sync = fc.array(environmentId, { maxLength: 5 }).map((ids) => ({
    subject: subjects.sync(hostile.runnerId),
    value: {
      runnerId: hostile.runnerId,
      epoch: hostile.epoch,
      inventory: ids.map((id) => ({ environmentId: id, epoch: 1, generation: 1 })),
    } as Json,
  }))
  const consumer = `${streams.work}.${workConsumer(hostile.runnerId)}`
  const pull = fc.record({ batch: fc.nat(1_000), expires: fc.nat(1_000_000_000) }).map((value) => ({
    subject: `$JS.API.CONSUMER.MSG.NEXT.${consumer}`,
    value: value as Json,
  }))
  const valid = fc.oneof(
    { weight: 5, arbitrary: report },
    { weight: 3, arbitrary: log },
    { weight: 3, arbitrary: presence },
    { weight: 2, arbitrary: sync },
    { weight: 1, arbitrary: pull },
  )
  const strangers = fc.constantFrom(...known.runnerIds, ...known.environmentIds)
  const replies = fc.constantFrom(
    null,
    null,
    `${subjects.inbox(hostile.runnerId)}.fuzz`,
    subjects.work(known.runnerIds[0] ?? '', 'environment', known.environmentIds[0] ?? ''),
  )
  return fc
    .record({
      base: valid,
      changes: fc.array(fc.record({ at: fc.nat(), to: fc.oneof(fc.constantFrom(...extremes), strangers) }), {
        maxLength: 3,
      }),
      extra: fc.option(fc.jsonValue({ maxDepth: 3 }), { freq: 5 }),
      bytes: fc.option(fc.uint8Array({ maxLength: 200 }), { freq: 12 }),
      cut: fc.option(fc.nat(400), { freq: 12 }),
      depth: fc.option(fc.integer({ min: 1_000, max: 50_000 }), { freq: 60 }),
      tail: fc.option(fc.stringMatching(/^[a-z0-9-]{1,20}(\.[a-z0-9]{1,5}){0,3}$/), { freq: 12 }),
      stranger: fc.option(strangers, { freq: 20 }),
      messageId: fc.option(strangers, { freq: 3 }),
      reply: replies,
    })
    .map(({ base, changes, extra, bytes, cut, depth, tail, stranger, messageId, reply }): Message => {
      let { value } = base
      for (const { at, to } of changes) value = replaced(value, at, to as Json)
      if (extra !== null && typeof value === 'object' && value !== null && !Array.isArray(value))
        value = { ...value, extra: extra as Json }
      const text = depth === null ? JSON.stringify(value) : `${'['.repeat(depth)}${']'.repeat(depth)}`
      const subject = stranger === null ? base.subject : base.subject.replace(hostile.runnerId, stranger)
      return {
        subject: tail === null ? subject : `${subject}.${tail}`,
        payload: bytes ?? (cut === null ? text : text.slice(0, cut)),
        messageId,
        reply,
      }
    })
}

const fullStep = ({ name, output }: { name: string; output: string }) => ({
  name,
  repository: null,
  phase: 'running',
  startedAt: null,
  finishedAt: null,
  durationMilliseconds: null,
  exitCode: null,
  output,
  outputBytes: output.length,
  error: null,
})

/** The same value with one of its parts replaced, chosen by its index among all parts. */
function replaced(value: Json, at: number, to: Json): Json {
  const places: { holder: Record<string, Json> | Json[]; key: string }[] = []
  const copy = structuredClone(value)
  const collect = (inner: Json) => {
    if (typeof inner !== 'object' || inner === null) return
    for (const key of Object.keys(inner)) {
      places.push({ holder: inner, key })
      collect((inner as Record<string, Json>)[key] ?? null)
    }
  }
  collect(copy)
  const place = places[at % Math.max(1, places.length)]
  if (place === undefined) return to
  Object.assign(place.holder, { [place.key]: to })
  return copy
}
