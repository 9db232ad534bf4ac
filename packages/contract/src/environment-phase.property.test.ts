import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type EnvironmentPhase,
  environmentPhases,
  environmentPhaseTable,
  mayMove,
} from './environment-phase.ts'

const anyPhase = fc.constantFrom(...environmentPhases)

/** Every phase reachable from the given one, itself included. */
function reachable(from: EnvironmentPhase): Set<EnvironmentPhase> {
  const reached = new Set([from])
  for (const phase of reached) for (const to of environmentPhaseTable[phase].to) reached.add(to)
  return reached
}

test('deletion is reachable from every phase, in two moves at most, and nothing comes after it', () => {
  fc.assert(
    fc.property(anyPhase, (phase) => {
      const direct = phase === 'deleted' || mayMove(phase, 'deleted')
      expect(direct || (mayMove(phase, 'deleting') && mayMove('deleting', 'deleted'))).toBe(true)
    }),
  )
  expect(reachable('deleted')).toEqual(new Set(['deleted']))
})

test('every phase but deletion can fail, and from `failed` every phase of an existing machine can be reached again', () => {
  for (const phase of environmentPhases) {
    if (phase === 'failed' || phase === 'deleted') continue
    expect(mayMove(phase, 'failed'), phase).toBe(true)
  }
  expect(reachable('failed')).toEqual(new Set(environmentPhases))
})

test('every allowed transition changes the phase, and waiting phases say for what and how long', () => {
  fc.assert(
    fc.property(anyPhase, fc.array(fc.nat(), { maxLength: 50 }), (start, choices) => {
      let phase = start
      for (const choice of choices) {
        const { to, deadlineSeconds, waitsFor } = environmentPhaseTable[phase]
        expect(deadlineSeconds === null).toBe(waitsFor === null)
        const next = to[choice % Math.max(1, to.length)]
        if (next === undefined) {
          expect(phase).toBe('deleted')
          return
        }
        expect(next).not.toBe(phase)
        expect(mayMove(phase, next)).toBe(true)
        phase = next
      }
    }),
  )
})

test('every phase that only the control plane ends has a deadline: none waits for a message for ever', () => {
  const resting: EnvironmentPhase[] = ['running', 'stopped', 'suspended', 'failed', 'deleted']
  for (const phase of environmentPhases) {
    expect(environmentPhaseTable[phase].deadlineSeconds === null, phase).toBe(resting.includes(phase))
  }
})
