import { controlCharacters, startOfText } from '@hearth/contract'

const mostBytes = 200

/** What a guest said, as it may stand in a sentence: on one line, short, and without what a terminal would act on. */
export function shown(text: string): string {
  const line = text.replace(new RegExp(controlCharacters, 'g'), ' ').toWellFormed()
  const start = startOfText(line, mostBytes)
  return start.length === line.length ? start : `${start}…`
}
