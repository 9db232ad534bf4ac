import { controlCharacters, startOfText } from '@hearth/contract'

const mostBytes = 200

/** Text from a guest, made safe for use in a sentence: on one line, short, and without terminal control sequences. */
export function shown(text: string): string {
  const line = text.replace(new RegExp(controlCharacters, 'g'), ' ').toWellFormed()
  const start = startOfText(line, mostBytes)
  return start.length === line.length ? start : `${start}…`
}
