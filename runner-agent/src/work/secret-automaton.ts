import { setImmediate as nextTurn } from 'node:timers/promises'

/** Number of bytes processed before the event loop is yielded. */
export const bytesPerTurn = 16 * 1024
const none = -1

/**
 * An Aho-Corasick automaton over bytes: after each byte of a text it knows how many of the last bytes may be the
 * beginning of a value, and whether a value ends there. The time per byte does not depend on the number of values.
 * State 0 is the initial state.
 */
export class SecretAutomaton {
  private readonly edges: EdgeTable
  /** Fallback of each state: the state of the longest proper suffix that is also a prefix of a value. */
  private readonly fallback: Int32Array
  private readonly depth: Int32Array
  private readonly longest: Int32Array
  /** Transitions from the initial state by byte, where most bytes of most texts are looked up. */
  private readonly first = new Int32Array(256)
  private states = 1

  private constructor(values: readonly Buffer[]) {
    const bytes = values.reduce((sum, value) => sum + value.length, 0)
    this.edges = new EdgeTable(bytes)
    this.fallback = new Int32Array(bytes + 1)
    this.depth = new Int32Array(bytes + 1)
    this.longest = new Int32Array(bytes + 1)
  }

  /** Inserts the values in slices: the largest set of secrets must not block the event loop. */
  static async build(
    values: readonly Buffer[],
    turn: () => Promise<void> = nextTurn,
  ): Promise<SecretAutomaton> {
    const automaton = new SecretAutomaton(values)
    let sinceTurn = 0
    // Breadth first: a fallback leads to a shallower state, which exists already.
    let open = values.map((value) => ({ value, state: 0 }))
    for (let at = 0; open.length > 0; at += 1) {
      const longer: typeof open = []
      for (const each of open) {
        const byte = each.value[at]
        if (byte === undefined) continue
        each.state = automaton.extend(each.state, byte)
        if (at + 1 === each.value.length) automaton.longest[each.state] = at + 1
        else longer.push(each)
        sinceTurn += 1
        if (sinceTurn < bytesPerTurn) continue
        sinceTurn = 0
        await turn()
      }
      open = longer
    }
    return automaton
  }

  next(state: number, byte: number): number {
    for (let from = state; from !== 0; from = this.fallback[from] ?? 0) {
      const to = this.edges.get(from, byte)
      if (to !== none) return to
    }
    return this.first[byte] ?? 0
  }

  /** Number of last bytes that may be the beginning of a value. */
  depthOf(state: number): number {
    return this.depth[state] ?? 0
  }

  /** Length of the longest value that ends here; 0 where none does. */
  longestEndingAt(state: number): number {
    return this.longest[state] ?? 0
  }

  private extend(state: number, byte: number): number {
    const known = state === 0 ? this.first[byte] || none : this.edges.get(state, byte)
    if (known !== none) return known
    const made = this.states
    this.states += 1
    const fallback = state === 0 ? 0 : this.next(this.fallback[state] ?? 0, byte)
    if (state === 0) this.first[byte] = made
    else this.edges.set(state, byte, made)
    this.fallback[made] = fallback
    this.depth[made] = this.depthOf(state) + 1
    this.longest[made] = this.longestEndingAt(fallback)
    return made
  }
}

/** Transitions from a state and a byte to the next state: a hash table in two flat arrays, about 20 bytes per edge. */
class EdgeTable {
  private readonly keys: Int32Array
  private readonly targets: Int32Array
  private readonly shift: number
  private readonly mask: number

  constructor(mostEdges: number) {
    const bits = Math.max(4, Math.ceil(Math.log2(mostEdges + 1)) + 1)
    this.keys = new Int32Array(2 ** bits)
    this.targets = new Int32Array(2 ** bits)
    this.shift = 32 - bits
    this.mask = 2 ** bits - 1
  }

  get(state: number, byte: number): number {
    const slot = this.slotOf(keyOf(state, byte))
    return this.keys[slot] === 0 ? none : (this.targets[slot] ?? none)
  }

  set(state: number, byte: number, target: number): void {
    const key = keyOf(state, byte)
    const slot = this.slotOf(key)
    this.keys[slot] = key
    this.targets[slot] = target
  }

  /** The slot of the key, or the free slot where it belongs: half of the slots are always free. */
  private slotOf(key: number): number {
    let slot = Math.imul(key, 0x9e3779b1) >>> this.shift
    for (;;) {
      const held = this.keys[slot]
      if (held === key || held === 0) return slot
      slot = (slot + 1) & this.mask
    }
  }
}

/** Never 0, which marks a free slot. */
const keyOf = (state: number, byte: number) => state * 256 + byte + 1
