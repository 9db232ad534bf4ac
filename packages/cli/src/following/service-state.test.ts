import {
  type Environment,
  type Service,
  serviceDefinitionInputSchema,
  taskDefinitionInputSchema,
} from '@hearth/contract'
import { expect, test } from 'vitest'
import { areSettled, begunAtStart, isSettled, serviceChange, serviceStage } from './service-state.ts'

const service = (phase: Service['status']['phase'], change: object = {}) =>
  ({
    metadata: { name: 'web' },
    spec: { environmentId: 'one', desired: 'run', restart: { limit: 10 } },
    status: { phase, restarts: 0, waitsFor: null, run: { number: 3, cause: 'exit', exitCode: 1 }, ...change },
  }) as unknown as Service
const machine = { environment: { metadata: { id: 'one' } } as Environment, expected: ['web'] }

test('a service that is on its way is waited for, also one that is not there yet', () => {
  for (const phase of ['pending', 'starting', 'restarting', 'stopping'] as const)
    expect(isSettled(service(phase))).toBe(false)
  for (const phase of ['running', 'failed', 'stopped', 'idle'] as const)
    expect(isSettled(service(phase))).toBe(true)
  const stopped = service('pending')
  stopped.spec.desired = 'stop'
  expect(isSettled(stopped)).toBe(true)
  expect(areSettled({ machines: [machine], services: [] })).toBe(false)
  expect(areSettled({ machines: [machine], services: [service('starting')] })).toBe(false)
  expect(areSettled({ machines: [machine], services: [service('running')] })).toBe(true)
  expect(areSettled({ machines: [{ ...machine, expected: [] }], services: [] })).toBe(true)
})

test('what begins before a claim is what says so, and what that depends on', () => {
  const task = (more: object) => taskDefinitionInputSchema.parse({ command: 'x', ...more })
  const define = (more: object = {}) => serviceDefinitionInputSchema.parse({ command: 'x', ...more })
  const declared = {
    tasks: {
      build: task({ on: 'start', dependsOn: ['cache'] }),
      seed: task({ on: 'prebuild', dependsOn: ['db'] }),
    },
    services: {
      web: define({ on: 'start', dependsOn: ['queue', 'seed'] }),
      queue: define({ on: 'manual' }),
      cache: define({ on: 'manual' }),
      db: define({ on: 'manual' }),
      late: define(),
    },
  }
  expect(begunAtStart(declared)).toEqual(['web', 'queue', 'cache'])
})

test('its restarts and what it waits for are said, each once', () => {
  expect(serviceStage(service('pending', { waitsFor: 'task build to succeed' }))).toBe(
    'waits for task build to succeed',
  )
  expect(serviceStage(service('restarting', { restarts: 2 }))).toBe(
    'run 3 ended with exit 1; restart 3 of 10',
  )
  expect(serviceStage(service('running', { restarts: 2 }))).toBe('ready after 2 restarts')
  expect(serviceChange(undefined, service('running'), 'm')).toBe('m/web: ready')
  expect(serviceChange(service('running'), service('running'), 'm')).toBeNull()
})
