import { controlCharacters } from '@hearth/contract'

/** Escape sequences written by `Terminal.tone`; all other control sequences are made visible. */
const ownTones = '\\u001b\\[(?:1|22|31|32|33|39|90)m'
const everywhere = new RegExp(`${ownTones}|${controlCharacters.source}`, 'g')

/**
 * Makes text safe for a terminal: control characters and marks that change the direction of text are shown as in JSON
 * (`\u001b`), so that guest output and names move no cursor, set no title and hide nothing. Newlines and tabs are
 * kept.
 */
export function visibleText(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(everywhere, (found) =>
      found.length > 1 || found === '\n' || found === '\t' ? found : escaped(found),
    )
}

/** The same for text that must stay on one line, such as a cell of a table. */
export function visibleLine(text: string): string {
  return visibleText(text).replace(/[\n\t]/g, escaped)
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
