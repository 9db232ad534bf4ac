/** Tests that fail until they are written; test/structure looks for the sentence. */
const unwritten = (what) =>
  [
    "import { test } from 'vitest'",
    '',
    `test('${what}', () => {`,
    "  throw new Error('not written yet')",
    '})',
    '',
  ].join('\n')

export const decideTest = ({ article, noun }) => unwritten(`the rules of ${article} ${noun}, as a table`)
export const decidePropertyTest = ({ article, noun }) =>
  unwritten(`from every state of ${article} ${noun} one decision leads to one in which nothing follows`)
export const reconcileTest = ({ article, noun }) =>
  unwritten(`${article} ${noun} reconciled eight times, among bystanders, and once with the outbox broken`)
export const routesTest = ({ nouns }) =>
  unwritten(`${nouns} over HTTP: list, make, show, change, delete, and each refusal`)
