import { CST, Lexer, parse } from 'yaml'

const mostTokens = 4_000
/** The deepest nesting of brackets, and the longest run of marks (`-`, `:`, anchors, tags) without a value. */
const mostDepth = 32

/**
 * Reads YAML that a stranger wrote, in a few milliseconds at most: what the parser needs more than linear time for, for
 * `? ? ?` exponentially much, is refused before it is parsed. Throws what is wrong.
 */
export function parseBoundedYaml(text: string): unknown {
  refuseBeyondBounds(text)
  return parse(text, { logLevel: 'silent' })
}

function refuseBeyondBounds(text: string): void {
  let tokens = 0
  let brackets = 0
  let marks = 0
  let isScalar = false
  for (const token of new Lexer().lex(text)) {
    tokens += 1
    if (tokens > mostTokens) throw new Error(`more than ${mostTokens} words and marks`)
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
        throw new Error('a key written with "?"')
      case 'text':
      case 'newline':
      case 'comma':
        marks = 0
        break
      default:
    }
    if (brackets > mostDepth || marks > mostDepth) throw new Error(`more than ${mostDepth} levels`)
  }
}
