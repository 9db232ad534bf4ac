/** One word for a shell: unchanged where that is safe, otherwise single-quoted. */
export function shellQuote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/**
 * The command line for the guest's shell: a single word is passed on as a line of shell, several words as a program
 * and its arguments.
 */
export function remoteCommand(words: readonly string[]): string {
  const [only] = words
  return words.length === 1 && only !== undefined ? only : words.map(shellQuote).join(' ')
}
