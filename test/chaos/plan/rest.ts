import type { SeededRandom } from '@hearth/testing'
import type { Action, Subject } from './actions.ts'
import { chance } from './chance.ts'

const lifetimeSeconds = 4

/** The same users, some of whose pools have members at rest, whose environments are suspended and whose claims have an end. */
export function withRest(random: SeededRandom, subjects: readonly Subject[]): Subject[] {
  return subjects.map((subject) => ({
    ...subject,
    actions: subject.actions.map((action) => rested(random, action)),
  }))
}

function rested(random: SeededRandom, action: Action): Action {
  switch (action.do) {
    case 'apply': {
      // What is built for prebuilds is reckoned with a pool whose members all run.
      if (action.prebuilds !== null || !chance(random, 0.5)) return action
      const running = random.integer(0, action.min)
      return { ...action, rest: { running, how: random.pick(['suspended', 'stopped'] as const) } }
    }
    case 'power':
      return action.desiredPhase === 'stopped' && chance(random, 0.5)
        ? { ...action, desiredPhase: 'suspended' }
        : action
    case 'claim':
      return chance(random, 0.2) ? { ...action, lifetimeSeconds } : action
    default:
      return action
  }
}
