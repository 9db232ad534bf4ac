import { CST, type Document, Lexer, LineCounter, parseDocument } from 'yaml'
import { type Place, placeAt } from './yaml-place.ts'

const mostTokens = 4_000
/** The deepest nesting of brackets, and the longest run of marks (`-`, `:`, anchors, tags) without a value. */
const mostDepth = 32

/** What keeps a text from being read as YAML, and where; null where that cannot be told. */
export class YamlFault extends Error {
  constructor(
    message: string,
    readonly place: Place | null,
  ) {
    super(message)
  }
}

export interface BoundedYaml {
  value: unknown
  document: Document
  lines: LineCounter
}

/**
 * Reads YAML that a stranger wrote, in a few milliseconds at most: what the parser needs more than linear time for, for
 * `? ? ?` exponentially much, is refused before it is parsed. Throws a `YamlFault`.
 */
export function parseBoundedYaml(text: string): BoundedYaml {
  refuseBeyondBounds(text)
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' })
  const [error] = document.errors
  if (error !== undefined) throw new YamlFault(error.message, placeAt(error.pos[0], lines))
  try {
    return { value: document.toJS(), document, lines }
  } catch (thrown) {
    throw new YamlFault(thrown instanceof Error ? thrown.message : String(thrown), null)
  }
}

/** What the lexer puts between the pieces of the text. */
const marksOfLexer: ReadonlySet<string> = new Set([CST.BOM, CST.DOCUMENT, CST.FLOW_END, CST.SCALAR])

function refuseBeyondBounds(text: string): void {
  const lines = new LineCounter()
  for (let at = 0; at >= 0; at = text.indexOf('\n', at) + 1 || -1) lines.addNewLine(at)
  let offset = 0
  const refuse = (message: string) => new YamlFault(message, placeAt(offset, lines))
  let tokens = 0
  let brackets = 0
  let marks = 0
  let isScalar = false
  for (const token of new Lexer().lex(text)) {
    tokens += 1
    if (tokens > mostTokens) throw refuse(`more than ${mostTokens} words and marks`)
    // What follows the mark of a scalar is its text, whatever it looks like.
    const type: CST.TokenType | 'text' | null = isScalar ? 'text' : CST.tokenType(token)
    isScalar = type === 'scalar'
    switch (type) {
      case 'flow-map-start':
      case 'flow-seq-start':
        brackets += 1
        break
      case 'flow-map-end':
      case 'flow-seq-end':
        brackets -= 1
        break
      case 'seq-item-ind':
      case 'map-value-ind':
      case 'anchor':
      case 'tag':
        marks += 1
        break
      case 'explicit-key-ind':
        throw refuse('a key written with "?"')
      case 'text':
      case 'newline':
      case 'comma':
        marks = 0
        break
      default:
    }
    if (brackets > mostDepth || marks > mostDepth) throw refuse(`more than ${mostDepth} levels`)
    if (!marksOfLexer.has(token)) offset += token.length
  }
}
