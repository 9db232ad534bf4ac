const established = '01'
const line = /^\s*\d+: [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{8}):([0-9A-F]{4}) ([0-9A-F]{2}) /

/** The addresses, as Caddy dials them, to which connections are open from here, out of `/proc/net/tcp`. */
export function connectedAddresses(table: string): Set<string> {
  const found = new Set<string>()
  for (const each of table.split('\n')) {
    const [, address = '', port = '', state] = line.exec(each) ?? []
    if (state !== established) continue
    // The kernel writes the four bytes in the order of this machine's memory.
    const bytes = [6, 4, 2, 0].map((at) => Number.parseInt(address.slice(at, at + 2), 16))
    found.add(`${bytes.join('.')}:${Number.parseInt(port, 16)}`)
  }
  return found
}

/** When requests last went to machines, which counts as use of them. Times in monotonic milliseconds. */
export class Traffic {
  private readonly seen = new Map<string, number>()

  constructor(
    private readonly now: () => number,
    /** For how long one request counts: the pause between two looks at whether machines are used. */
    private readonly countsMilliseconds: number,
  ) {}

  note(environmentId: string): void {
    this.seen.set(environmentId, this.now())
  }

  isUsed(environmentId: string): boolean {
    const at = this.seen.get(environmentId)
    return at !== undefined && this.now() - at < this.countsMilliseconds
  }

  /** Forgets all but these. */
  keep(environmentIds: ReadonlySet<string>): void {
    for (const id of this.seen.keys()) if (!environmentIds.has(id)) this.seen.delete(id)
  }
}
