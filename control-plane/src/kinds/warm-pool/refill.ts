/** What decides how many boots a pool orders at once. */
export interface SeenRefill {
  poolId: string
  /** How many machines each runner boots at once that the pool's may be placed on; null where its agent does not say. */
  bootSlots: readonly (number | null)[]
  /** Boots on these runners or without a runner yet, by the pool they are for; null for those that somebody waits for. */
  boots: readonly { poolId: string | null; count: number }[]
  /** How many pools that may use these runners are being filled, this one included. */
  fillingPools: number
}

/** While one boots, another waits behind it, so that no slot is idle until the next order. */
const bootsPerSlot = 2

/**
 * How many more boots a pool may order now. A runner boots in the order it was told: whatever a pool orders beyond its slots would
 * only keep a machine waiting that somebody asks for meanwhile. So a token is a boot slot: boots that somebody waits for take theirs first, and
 * pools share what is left.
 */
export function bootsAllowed({ poolId, bootSlots, boots, fillingPools }: SeenRefill): number {
  const unbounded = Number.POSITIVE_INFINITY
  if (bootSlots.length === 0) return unbounded
  let tokens = 0
  for (const slots of bootSlots) {
    if (slots === null) return unbounded
    tokens += slots * bootsPerSlot
  }
  const countOf = (wanted: (id: string | null) => boolean) =>
    boots.reduce((sum, boot) => (wanted(boot.poolId) ? sum + boot.count : sum), 0)
  const own = countOf((id) => id === poolId)
  const left = tokens - countOf((id) => id === null)
  if (left <= 0) return 0
  const share = Math.ceil(left / Math.max(1, fillingPools))
  // One is always ordered, so that a pool comes to its turn whatever the others have ordered before.
  const least = own === 0 ? 1 : 0
  return Math.max(least, Math.min(share - own, left - countOf((id) => id !== null)))
}
