import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LocalCommandRunner } from '../host/command/local.ts'
import { EpochFile } from './epoch-file.ts'
import { Lease, LeaseNotHeld } from './lease.ts'

const held = { milliseconds: 30, epoch: 2 }
function leaseOf(newest = () => 2) {
  const time = { now: 100 }
  const lease = new Lease({ ...held, newestEpoch: async () => newest(), now: () => time.now })
  return { lease, time }
}

test('a lease holds as long as there is contact; once it has lapsed, only an answer brings it back', async () => {
  const { lease, time } = leaseOf()
  time.now = 129
  await lease.assertHeld()
  lease.prolong(125)
  time.now = 154
  await lease.assertHeld()
  time.now = 155
  await expect(lease.assertHeld()).rejects.toThrow(LeaseNotHeld)
  lease.prolong(155)
  await expect(lease.assertHeld()).rejects.toThrow('lapsed')
  const waiting = lease.untilHeld(new AbortController().signal)
  lease.confirm(155)
  await waiting
  await lease.assertHeld()
})

test('an answer that was asked for before the lease lapsed again does not bring it back', async () => {
  const { lease, time } = leaseOf()
  time.now = 500
  lease.confirm(300)
  await expect(lease.assertHeld()).rejects.toThrow(LeaseNotHeld)
})

test('a newer agent on the host ends a lease for good, even if nobody else reports it', async () => {
  let newest = 2
  const { lease } = leaseOf(() => newest)
  await lease.assertHeld()
  newest = 3
  await expect(lease.assertHeld()).rejects.toThrow(LeaseNotHeld)
  expect(lease.lost.aborted).toBe(true)
  newest = 2
  lease.confirm(100)
  await expect(lease.authority(7).assertHeld()).rejects.toThrow('lost')
})

test('waiting for a lease ends when the lease is lost or the agent stops', async () => {
  const { lease, time } = leaseOf()
  time.now = 1_000
  const stop = new AbortController()
  const waits = [lease.untilHeld(stop.signal), lease.untilHeld(new AbortController().signal)]
  stop.abort(new Error('stop'))
  await expect(waits[0]).rejects.toThrow('stop')
  lease.lose('another has it')
  await expect(waits[1]).rejects.toThrow('another has it')
})

test('nothing is done under a lost lease, or without contact for the length of the lease', async () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant('pass' as const), milliseconds: fc.integer({ min: 0, max: 40 }) }),
    fc.record({ kind: fc.constantFrom('prolong' as const, 'confirm' as const), ago: fc.nat(20) }),
    fc.constant({ kind: 'lose' as const }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 30 }), async (events) => {
      const { lease, time } = leaseOf()
      let contact = time.now
      let lost = false
      for (const each of events) {
        if (each.kind === 'pass') time.now += each.milliseconds
        else if (each.kind === 'lose') {
          lease.lose('gone')
          lost = true
        } else {
          lease[each.kind](time.now - each.ago)
          contact = Math.max(contact, time.now - each.ago)
        }
        const mayAct = await lease.assertHeld().then(
          () => true,
          () => false,
        )
        if (mayAct) expect(lost || time.now - contact >= held.milliseconds).toBe(false)
      }
    }),
    { numRuns: 300 },
  )
})

test('the epoch on a host only rises, and counts for its own runner only', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-epoch-'))
  try {
    const of = (runnerId: string) =>
      new EpochFile(new LocalCommandRunner(), join(folder, 'epoch.json'), runnerId, join(folder, 'locks'))
    expect(await of('a').read()).toBe(0)
    await Promise.all([3, 5, 4].map((epoch) => of('a').raise(epoch)))
    expect(await of('a').read()).toBe(5)
    await of('a').raise(2)
    expect(await of('a').read()).toBe(5)
    expect(await of('b').read()).toBe(0)
  } finally {
    await rm(folder, { recursive: true })
  }
})
