import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RunEvent } from '../process.ts'
import { LocalGuest, processId } from './process.fixture.ts'

let guest: LocalGuest
beforeEach(async () => {
  guest = await LocalGuest.make()
})
afterEach(() => guest.remove())

const mebibyte = 1024 * 1024

const outputs: [what: string, command: string, expected: Buffer | string][] = [
  ['short, with NUL bytes', `printf 'a\\0b\\n\\n\\0'`, 'a\0b\n\n\0'],
  ['no text', `printf '\\377\\376\\0\\303('`, Buffer.from([255, 254, 0, 195, 40])],
  ['as long as the first file', `head -c 1024 /dev/zero`, Buffer.alloc(1024)],
  ['longer than the first file', `head -c 5000 /dev/zero; printf x`, `${'\0'.repeat(5000)}x`],
  ['of NUL bytes, each by itself', `for n in {1..500}; do printf '\\0'; done`, Buffer.alloc(500)],
  [
    'printed in pieces',
    `printf 'a\\0'; sleep 0.1; printf b; sleep 0.5; printf c; sleep 0.1; printf d`,
    'a\0bcd',
  ],
  ['of two programs', `seq 1 20000 & seq 1 20000 >/dev/null; wait`, readable(20_000)],
]
test.each(outputs)('output that is %s comes whole', async (_, command, expected) => {
  const { output, ended } = await guest.follow(guest.runOf(command)).ended
  expect(output.equals(Buffer.from(expected))).toBe(true)
  expect(ended?.outputBytes).toBe(output.length)
})

function readable(lines: number): string {
  return Array.from({ length: lines }, (_, index) => `${index + 1}\n`).join('')
}

test('an endless line without an end of line comes as it is written', async () => {
  const { child, events, ended } = guest.follow(
    guest.runOf(`while printf xxxxxxxxxxxxxxxxxxxx; do sleep 0.01; done`),
  )
  await expect.poll(() => events.length, { timeout: 5_000 }).toBeGreaterThan(20)
  child.kill()
  await ended
  await guest.stop()
})

test('a follower continues from any offset, while the run goes on and when it has ended', async () => {
  const run = guest.runOf('seq 1 3000; sleep 1; seq 3001 6000')
  const all = readable(6_000)
  const offsets = [0, 1, 1_023, 1_024, 1_025, 13_892, 13_893]
  const first = guest.follow(run)
  await expect.poll(() => bytesOf(first.events), { timeout: 5_000 }).toBe(13_893)
  const live = await Promise.all(offsets.map((offset) => guest.follow(run, { offset }).ended))
  offsets.push(13_894, 20_000, all.length, all.length + 1)
  const late = await Promise.all(offsets.map((offset) => guest.follow(run, { offset }).ended))
  for (const followed of [live, late]) {
    for (const [index, { output, ended, events }] of followed.entries()) {
      const offset = offsets[index] ?? 0
      expect([offset, output.length, digest(output)]).toEqual([
        offset,
        Math.max(0, all.length - offset),
        digest(Buffer.from(all.slice(offset))),
      ])
      expect(ended?.outputBytes).toBe(Math.max(all.length, offset))
      expect(gaps(events, offset)).toEqual([])
    }
  }
})

test('a follower that is cut again and again gets every byte once', async () => {
  const run = guest.runOf('for n in {1..60}; do seq 1 500; sleep 0.02; done')
  const chunks: Buffer[] = []
  let offset = 0
  for (let isOver = false; !isOver; ) {
    const { child, ended } = guest.follow(run, {
      offset,
      onEvent: (event) => {
        if (child.killed) return
        if (event.kind === 'output') {
          expect(event.offset).toBe(offset)
          chunks.push(event.chunk)
          offset += event.chunk.length
          if (chunks.length % 5 === 0) child.kill('SIGKILL')
        }
        isOver ||= event.kind === 'ended'
      },
    })
    await ended
  }
  expect(Buffer.concat(chunks).toString()).toBe(readable(500).repeat(60))
})

test('of 200 MB both ends are kept, on little disk and in little memory, and all of it is counted', async () => {
  const total = 200 * mebibyte
  const run = guest.runOf(`echo $$ >pid; seq 1 100000000 | head -c ${total}`)
  const { child, begun, events } = guest.follow(run)
  await begun
  // Nobody reads what comes.
  child.stdout.pause()
  const ledger = join(guest.paths.ledger, processId, '1', 'output')
  let most = { disk: 0, memory: 0 }
  while ((await guest.newest())?.ending === null) {
    most = {
      disk: Math.max(most.disk, await bytesIn(ledger)),
      memory: Math.max(most.memory, await residentBytes(await guest.processes())),
    }
  }
  child.kill('SIGKILL')
  expect(events.filter(({ kind }) => kind === 'ended')).toEqual([])
  expect(most.disk).toBeGreaterThan(16 * mebibyte)
  expect(most.disk).toBeLessThan(25 * mebibyte)
  expect(most.memory).toBeLessThan(50 * mebibyte)

  const { output, ended, events: all } = await guest.follow(run).ended
  expect(ended).toMatchObject({ outputBytes: total, run: { ending: { cause: 'exit', exitCode: 0 } } })
  const [gap, ...others] = gaps(all, 0)
  expect(others).toEqual([])
  const [first, last] = [gap?.from ?? 0, total - (gap?.to ?? 0)]
  expect(first).toBeGreaterThanOrEqual(8 * mebibyte)
  expect(last).toBeGreaterThanOrEqual(8 * mebibyte)
  expect(digest(output.subarray(0, first))).toBe(await digestOf(`seq 1 100000000 | head -c ${first}`))
  const tail = `seq 1 100000000 | head -c ${total} | tail -c ${last}`
  expect(digest(output.subarray(first))).toBe(await digestOf(tail))
}, 120_000)

test('a follower in the middle of what is gone goes on where something is kept', async () => {
  const total = 40 * mebibyte
  const run = guest.runOf(`head -c ${total} /dev/zero`)
  await guest.follow(run).ended
  const offset = 10 * mebibyte
  const { output, ended, events } = await guest.follow(run, { offset }).ended
  expect(gaps(events, offset)).toEqual([{ from: offset, to: total - output.length }])
  expect(output.length).toBeGreaterThanOrEqual(8 * mebibyte)
  expect(ended?.outputBytes).toBe(total)
}, 60_000)

test('a line is read soon after it was written', async () => {
  const lines = 300
  const delays: number[] = []
  let line = ''
  const command = `for ((n = 0; n < ${lines}; n += 1)); do printf '%s\\n' "$EPOCHREALTIME"; sleep 0.01; done`
  await guest.follow(guest.runOf(command), {
    onEvent: (event) => {
      if (event.kind !== 'output') return
      const now = Date.now()
      const whole = `${line}${event.chunk.toString()}`.split('\n')
      line = whole.pop() ?? ''
      for (const time of whole) delays.push(now - Number(time) * 1_000)
    },
  }).ended
  delays.sort((left, right) => left - right)
  expect(delays).toHaveLength(lines)
  expect(delays[Math.floor(lines * 0.99)]).toBeLessThan(300)
})

test('what follows a run ends when its connection has, and the run goes on', async () => {
  const { child, ended } = guest.follow(guest.runOf('echo one; sleep 0.5; echo two; sleep 30'), {
    onEvent: (event) => event.kind === 'output' && event.chunk.includes('two') && child.stdin.end(),
  })
  // Whatever it has started has its output open too.
  await ended
  expect(await guest.newest()).toMatchObject({ ending: null })
  await guest.stop()
})

test('output cannot pass for a record', async () => {
  const command = `printf 'hearth-%s ended\\n\\nhearth-0123 at 5\\nhearth-0123456789abcdef0123456789abcde'`
  const { output, ended } = await guest.follow(guest.runOf(command)).ended
  expect(output.toString()).toBe('hearth- ended\n\nhearth-0123 at 5\nhearth-0123456789abcdef0123456789abcde')
  expect(ended?.outputBytes).toBe(output.length)
})

const bytesOf = (events: readonly RunEvent[]) =>
  events.reduce((sum, event) => sum + (event.kind === 'output' ? event.chunk.length : 0), 0)

interface Gap {
  from: number
  to: number
}

function gaps(events: readonly RunEvent[], offset: number): Gap[] {
  let position = offset
  return events.flatMap((event) => {
    if (event.kind !== 'output') return []
    const gap = event.offset === position ? [] : [{ from: position, to: event.offset }]
    position = event.offset + event.chunk.length
    return gap
  })
}

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => [])
  const sizes = names.map((name) =>
    stat(join(folder, name)).then(
      ({ blocks }) => blocks * 512,
      () => 0,
    ),
  )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

/** Memory that the processes have for themselves. */
async function residentBytes(pids: readonly number[]): Promise<number> {
  await delay(20)
  return pids.reduce((sum, pid) => {
    try {
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
      return sum + Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024
    } catch {
      return sum
    }
  }, 0)
}

const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

async function digestOf(command: string): Promise<string> {
  const child = spawn('bash', ['-c', `${command} | sha256sum`])
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  await once(child, 'close')
  return said.split(' ')[0] ?? ''
}
