import type { SeededRandom } from '@hearth/testing'

export function chance(random: SeededRandom, share: number): boolean {
  return random.next() < share
}
