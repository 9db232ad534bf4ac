/** Quotes any text as one word for a shell; throws on a NUL, which no word can contain. */
export function quote(word: string): string {
  if (word.includes('\0')) throw new Error('a shell word cannot hold a NUL character')
  return `'${word.replaceAll("'", "'\\''")}'`
}

/** A here-document's text as the shell passes it on unread; its end must not be a line of it. */
export const hereDocument = (text: string): string => `<<'END_OF_TEXT'\n${text}\nEND_OF_TEXT`
