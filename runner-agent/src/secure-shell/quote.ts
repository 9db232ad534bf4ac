/** One word of a POSIX shell, whatever it holds; a NUL cannot stand in one and is refused. */
export function quote(word: string): string {
  if (word.includes('\0')) throw new Error('a shell word cannot hold a NUL character')
  return `'${word.replaceAll("'", "'\\''")}'`
}
