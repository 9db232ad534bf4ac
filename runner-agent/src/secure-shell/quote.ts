/** Quotes any text as one word for a POSIX shell; throws on a NUL, which no word can contain. */
export function quote(word: string): string {
  if (word.includes('\0')) throw new Error('a shell word cannot hold a NUL character')
  return `'${word.replaceAll("'", "'\\''")}'`
}
