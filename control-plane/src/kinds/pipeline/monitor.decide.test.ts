import type { PipelineDetails, PipelineStatuses } from '@hearth/contract'
import { expect, test } from 'vitest'
import { decideMonitor } from './monitor.decide.ts'

const statuses: PipelineStatuses = {
  resourcesStatus: 'stopped',
  resourcesDesiredStatus: 'stopped',
  runtimeStatus: null,
  runtimeDesiredStatus: null,
  hasError: false,
  programStatus: 'pending',
  storageStatus: 'cleared',
}
const details: PipelineDetails = {
  error: null,
  resourcesDetails: null,
  runtimeDetails: { reason: 'reads', approval: null },
  storageDetails: null,
}
const at = new Date('2026-01-01T00:00:00Z')
const after = (seconds: number) => new Date(at.getTime() + seconds * 1000)
const newest = { statuses, details, at }
const others: Partial<PipelineStatuses>[] = [
  { resourcesStatus: 'provisioning' },
  { resourcesDesiredStatus: 'provisioned' },
  { runtimeStatus: 'running' },
  { runtimeDesiredStatus: 'paused' },
  { hasError: true },
  { programStatus: 'checking' },
  { storageStatus: 'in_use' },
]

test('the first event is written, and one for a change of any status, however soon', () => {
  expect(decideMonitor(null, { statuses, details }, at)).toBe('record')
  for (const change of others)
    expect(decideMonitor(newest, { statuses: { ...statuses, ...change }, details }, at)).toBe('record')
})

test.each([
  [0, 'later'],
  [9.999, 'later'],
  [10, 'record'],
  [-5, 'record'],
])('of changed details, after %d s: %s', (seconds, decision) => {
  const changed = { ...details, runtimeDetails: { reason: 'writes', approval: null } }
  expect(decideMonitor(newest, { statuses, details: changed }, after(seconds))).toBe(decision)
})

test.each([
  [0, 'nothing'],
  [599.999, 'nothing'],
  [600, 'record'],
])('of nothing new, after %d s: %s; the order of keys is nothing new', (seconds, decision) => {
  const same = { ...details, runtimeDetails: { approval: null, reason: 'reads' } }
  expect(decideMonitor(newest, { statuses, details: same }, after(seconds))).toBe(decision)
})
