import { controlCharacters } from '@hearth/contract'

/** What `Terminal.tone` writes; nothing else that a terminal would obey is let through. */
const ownTones = '\\u001b\\[(?:1|22|31|32|33|39|90)m'
const everywhere = new RegExp(`${ownTones}|${controlCharacters.source}`, 'g')

/**
 * Text as a terminal may be given it: control characters, and marks that turn the direction of text, are shown as in
 * JSON (`\u001b`), so that what a guest prints or is called moves no cursor, sets no title and hides nothing. Line ends
 * and tabs stay.
 */
export function visibleText(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(everywhere, (found) =>
      found.length > 1 || found === '\n' || found === '\t' ? found : escaped(found),
    )
}

/** The same for what has to stay on its line, such as a cell of a table. */
export function visibleLine(text: string): string {
  return visibleText(text).replace(/[\n\t]/g, escaped)
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
