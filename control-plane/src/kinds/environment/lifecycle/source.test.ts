import { expect, test } from 'vitest'
import { memoryFault } from './source.ts'

const machine = { image: 'debian-12', virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 4 }
const kept = { kept: true, reason: null }

test('a machine resumes from memory only in the size that the memory is of', () => {
  expect(memoryFault('base', { machine, memory: kept }, machine)).toBeNull()
  expect(memoryFault('base', { machine, memory: kept }, { ...machine, memoryMebibytes: 1_024 })).toBe(
    'its class has 1 vCPU and 1024 MiB, the memory is of a machine with 1 vCPU and 512 MiB',
  )
})

test('a snapshot without memory says why it has none', () => {
  const memory = { kept: false, reason: 'the machine is on a bridge' }
  expect(memoryFault('base', { machine, memory }, machine)).toBe(
    'snapshot base holds no memory: the machine is on a bridge',
  )
  expect(memoryFault('base', { machine, memory: null }, machine)).toBe('snapshot base holds no memory')
})
