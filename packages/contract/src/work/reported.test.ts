import { expect, test } from 'vitest'
import { reportedFactsSchema } from './reported.ts'

const facts = {
  virtualization: 'qemu',
  virtualCpus: 2,
  memoryMebibytes: 1_024,
  diskGibibytes: 10,
  images: ['debian-12'],
  warnings: ['1 machine stands still'],
  layerAddress: { host: 'rack-1.example', port: 7_070 },
  agentVersion: '0.1.0',
  sealingKey: `${'A'.repeat(43)}=`,
}

test('every fact that an agent reports arrives, its warnings and the address of its layers too', () => {
  expect(reportedFactsSchema.parse({ ...facts, later: true })).toEqual(facts)
})

test('a long warning is cut, and an address that another program could misread is refused', () => {
  const long = { ...facts, warnings: ['w'.repeat(5_000)] }
  expect(reportedFactsSchema.parse(long).warnings?.[0]).toHaveLength(1_000)
  expect(() => reportedFactsSchema.parse({ ...facts, layerAddress: { host: '-oProxy', port: 1 } })).toThrow()
})
