/** The state of a connection over which something can be said, as in `/proc/net/tcp`. */
const established = '01'
const line = /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) /

/** How many open connections each port has, from `/proc/net/tcp`, `/proc/net/tcp6` or both, by the port of this side. */
export function connectionsByPort(text: string): Map<number, number> {
  const counts = new Map<number, number>()
  for (const each of text.split('\n')) {
    const [, port, state] = line.exec(each) ?? []
    if (port === undefined || state !== established) continue
    const number = Number.parseInt(port, 16)
    counts.set(number, (counts.get(number) ?? 0) + 1)
  }
  return counts
}
