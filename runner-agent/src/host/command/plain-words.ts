/**
 * The command as it is run: whatever language the host speaks, its programs answer in the words of the C locale, which
 * are the ones that are read.
 */
export function inPlainWords(command: readonly string[]): [string, ...string[]] {
  return ['env', '-u', 'LANGUAGE', 'LC_ALL=C', ...command]
}
