export interface SeededRandom {
  readonly seed: number
  /** From 0 up to and without 1. */
  next(): number
  /** A whole number from `least` to `most`, both included. */
  integer(least: number, most: number): number
  pick<Item>(items: readonly Item[]): Item
  /** A new array with the same items in another order. */
  shuffle<Item>(items: readonly Item[]): Item[]
}

/** Chance that can be repeated: the seed is printed, and the same seed gives the same values. */
export function seededRandom(seed: number): SeededRandom {
  console.info(`random seed: ${seed}`)
  return repeatableRandom(seed)
}

/** The same for those who print the seed themselves (mulberry32). */
export function repeatableRandom(seed: number): SeededRandom {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const integer = (least: number, most: number) => least + Math.floor(next() * (most - least + 1))
  return {
    seed,
    next,
    integer,
    pick(items) {
      const index = integer(0, items.length - 1)
      if (items.length === 0) throw new Error('nothing to pick from')
      return items[index] as (typeof items)[number]
    },
    shuffle(items) {
      const order = [...items]
      for (let last = order.length - 1; last > 0; last -= 1) {
        const other = integer(0, last)
        const moved = order[last] as (typeof items)[number]
        order[last] = order[other] as (typeof items)[number]
        order[other] = moved
      }
      return order
    },
  }
}
