/** Number of bytes at the end of `held` that may be the beginning of the delimiter. */
export function partialDelimiter(held: Buffer, delimiter: Buffer): number {
  const most = Math.min(held.length, delimiter.length - 1)
  for (let length = most; length > 0; length -= 1) {
    if (held.subarray(-length).equals(delimiter.subarray(0, length))) return length
  }
  return 0
}
