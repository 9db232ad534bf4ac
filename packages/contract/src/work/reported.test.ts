import { expect, test } from 'vitest'
import { reportedFactsSchema, reportedStepsSchema } from './reported.ts'

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

test('a step that began in a year that PostgreSQL does not know is refused', () => {
  const step = {
    ...{
      name: 'create_vm',
      repository: null,
      phase: 'succeeded',
      exitCode: 0,
      output: '',
      outputBytes: 0,
      error: null,
    },
    durationMilliseconds: 1,
    finishedAt: '2026-11-29T12:00:00Z',
  }
  const taken = (startedAt: string) => reportedStepsSchema.safeParse([{ ...step, startedAt }]).success
  expect(['1970-01-01T00:00:00Z', '2026-11-29T11:00:00.123Z', '9999-12-31T23:59:59Z'].map(taken)).toEqual([
    true,
    true,
    true,
  ])
  expect(['0000-01-01T00:00:00Z', '1969-12-31T23:59:59Z', 'now', 'infinity'].map(taken)).toEqual([
    false,
    false,
    false,
    false,
  ])
})
