/**
 * The command with its locale set to C: whatever the language of the host, its programs print the messages that are
 * parsed.
 */
export function inPlainWords(command: readonly string[]): [string, ...string[]] {
  return ['env', '-u', 'LANGUAGE', 'LC_ALL=C', ...command]
}
