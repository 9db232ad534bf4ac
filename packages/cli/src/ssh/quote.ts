/** One word for a shell: left as it is where that is safe, single-quoted else. */
export function shellQuote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** The command line for the guest's shell: one word is a line of shell as it is, several are a program's arguments. */
export function remoteCommand(words: readonly string[]): string {
  const [only] = words
  return words.length === 1 && only !== undefined ? only : words.map(shellQuote).join(' ')
}
