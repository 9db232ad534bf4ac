import { defineConfig } from 'vitest/config'

// Unit tests sit beside the code; the other projects are told apart by folder because they differ in what they start.
/** System tests that measure how long something takes, or keep both processors busy: they run one by one. */
const alone = [
  'event-loop',
  'events-slow',
  'frozen-agent',
  'fuzz-*',
  'hostile-member-*',
  'hostile-repository*',
  'hostile-runner*',
  'large-plans-cost',
  'late-registration',
  'new-kind',
  'replicas*',
  'revoked-runners',
  'runner-credentials',
].map((name) => `test/system/${name}.test.ts`)
/** What hostile guests cost their agent is measured. */
const aloneWithGuests = ['test/hardware/hostile-guest.test.ts']
const system = { testTimeout: 120_000, hookTimeout: 120_000 }
const hardware = {
  globalSetup: ['test/hardware/prepared/setup.ts'],
  testTimeout: 600_000,
  hookTimeout: 900_000,
}

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'control-plane/src/**/*.test.ts',
            'runner-agent/src/**/*.test.ts',
          ],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          // Many of them wait for a process, a database or a signal.
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'structure',
          include: ['test/structure/**/*.test.ts'],
          testTimeout: 120_000,
          sequence: { groupOrder: 6 },
        },
      },
      {
        test: {
          ...system,
          name: 'system',
          include: ['test/system/**/*.test.ts', 'test/clients/**/*.test.ts'],
          exclude: alone,
          // Two thirds of their time they wait: for a lease to end, a retry, a signal.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...system,
          name: 'system-alone',
          include: alone,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'chaos',
          include: ['test/chaos/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          ...hardware,
          name: 'hardware',
          include: ['test/hardware/**/*.test.ts'],
          exclude: aloneWithGuests,
          // An emulated guest keeps one processor busy, and often waits.
          maxWorkers: 2,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          ...hardware,
          name: 'hardware-alone',
          include: aloneWithGuests,
          fileParallelism: false,
          sequence: { groupOrder: 5 },
        },
      },
    ],
  },
})
