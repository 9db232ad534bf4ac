import { existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LocalGuest, processId } from './process.fixture.ts'

let guest: LocalGuest
beforeEach(async () => {
  guest = await LocalGuest.make()
})
afterEach(() => guest.remove())

/** Whether the process whose id the run wrote to a file has ended; zombies count as ended. */
function isOver(file: string): boolean {
  const pid = readFileSync(join(guest.folder, file), 'utf8').trim()
  return !existsSync(`/proc/${pid}/stat`) || readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
}

test('a run that never ends is stopped, with all that it started, and stopping again does nothing', async () => {
  const run = guest.runOf('sleep 1000 & echo $! >child; echo $$ >main; echo here; wait')
  const { ended } = guest.follow(run, { onEvent: ({ kind }) => kind === 'output' && void guest.stop() })
  const { ended: end, output } = await ended
  expect(output.toString()).toBe('here\n')
  expect(end?.run.ending).toMatchObject({ cause: 'stopped', exitCode: null, signal: 'SIGTERM' })
  expect([isOver('main'), isOver('child')]).toEqual([true, true])
  expect(await guest.stop()).toEqual({ exitCode: 0, stderr: '' })
  expect((await guest.newest())?.ending).toEqual(end?.run.ending)
})

test('stopping what the guest does not know does nothing', async () => {
  expect(await guest.stop()).toEqual({ exitCode: 0, stderr: '' })
})

test('a run may end in its own way when it is asked to', async () => {
  const command = `trap 'echo bye; exit 7' USR1; exec {idle}<> <(:); echo here; while :; do read -r -t 0.05 -u "$idle"; done`
  const { ended } = guest.follow(guest.runOf(command, { stopSignal: 'SIGUSR1', graceSeconds: 30 }), {
    onEvent: ({ kind }) => kind === 'output' && void guest.stop(),
  })
  const { output, ended: end } = await ended
  expect(output.toString()).toBe('here\nbye\n')
  expect(end?.run.ending).toMatchObject({ cause: 'stopped', exitCode: 7, signal: null })
})

test('a run that ignores its stop signal is killed after its grace', async () => {
  const command = `trap '' TERM; echo $$ >main; echo here; while :; do sleep 1; done`
  const { begun, ended, events } = guest.follow(guest.runOf(command, { graceSeconds: 1 }))
  await begun
  await expect.poll(() => events.some(({ kind }) => kind === 'output')).toBe(true)
  const asked = Date.now()
  await guest.stop()
  expect(Date.now() - asked).toBeGreaterThanOrEqual(950)
  expect(isOver('main')).toBe(true)
  expect((await ended).ended?.run.ending).toMatchObject({
    cause: 'stopped',
    exitCode: null,
    signal: 'SIGKILL',
  })
})

test('a run without a grace is killed at once', async () => {
  const run = guest.runOf(`trap '' TERM; echo here; sleep 30`, { graceSeconds: 0 })
  const { events } = guest.follow(run)
  await expect.poll(() => events.some(({ kind }) => kind === 'output')).toBe(true)
  await guest.stop()
  expect((await guest.newest())?.ending).toMatchObject({ cause: 'stopped', signal: 'SIGKILL' })
})

test('at its deadline a run is ended, although nobody is connected', async () => {
  const { child, begun } = guest.follow(guest.runOf('echo $$ >main; sleep 1000', { limitSeconds: 1 }))
  await begun
  child.kill('SIGKILL')
  await expect.poll(async () => (await guest.newest())?.ending?.cause, { timeout: 5_000 }).toBe('deadline')
  const known = await guest.newest()
  expect((known?.ending?.finishedAt ?? 0) - (known?.startedAt ?? 0)).toBeGreaterThanOrEqual(950)
  expect(isOver('main')).toBe(true)
})

test('what a command leaves in the background does not keep the run, and is ended after it', async () => {
  const command = `sleep 1000 & echo $! >child; echo done; exit 4`
  const { output, ended } = await guest.follow(guest.runOf(command, { graceSeconds: 600 })).ended
  expect(output.toString()).toBe('done\n')
  expect(ended?.run.ending).toMatchObject({ cause: 'exit', exitCode: 4 })
  expect(isOver('child')).toBe(true)
})

test('what is left in the background and ignores the signal is killed after the grace', async () => {
  const command = `( trap '' TERM; sleep 1000 & echo $! >child; echo here; wait ) & until [ -s child ]; do :; done; exit 0`
  const { ended } = await guest.follow(guest.runOf(command, { graceSeconds: 1 })).ended
  expect(ended?.run.ending).toMatchObject({ cause: 'exit', exitCode: 0 })
  expect(isOver('child')).toBe(true)
})

test('a process that left the group and holds the output open does not keep the run', async () => {
  const { ended, output } = await guest.follow(guest.runOf(`setsid sleep 5 & echo here`)).ended
  expect(output.toString()).toBe('here\n')
  expect(ended?.run.ending).toMatchObject({ cause: 'exit', exitCode: 0 })
})

test('a run that is asked to stop before its command began is stopped too', async () => {
  const run = guest.runOf('sleep 1000')
  const following = guest.follow(run)
  await expect.poll(() => guest.newest()).not.toBeNull()
  await Promise.all([guest.stop(), guest.stop(), guest.stop()])
  expect((await following.ended).ended?.run.ending).toMatchObject({ cause: 'stopped' })
})

test('a run whose supervisor takes seconds to say that it is there goes on, and is not told as lost', async () => {
  const { begun } = guest.follow(guest.runOf('sleep 30'))
  await begun
  const at = join(guest.paths.state, processId, '1', 'supervisor')
  renameSync(at, `${at}.late`)
  const newest = guest.newest()
  // So long an emulated guest on a busy host may take.
  await delay(3_000)
  renameSync(`${at}.late`, at)
  expect(await newest).toMatchObject({ number: 1, ending: null })
  await guest.stop()
})
