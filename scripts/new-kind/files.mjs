import { contract, migration } from './shapes.mjs'
import { commands, decide, index, kind, queries, reconcile, table } from './sources.mjs'
import { decidePropertyTest, decideTest, reconcileTest, routesTest } from './tests.mjs'

/** All forms of a kind's name that its files use. */
export function wordsOf(name) {
  const camel = (text) => text.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase())
  const plural = /(s|x|ch)$/.test(name) ? `${name}es` : `${name}s`
  const noun = name.replaceAll('-', ' ')
  return {
    name,
    noun,
    article: /^[aeiou]/.test(noun) ? 'an' : 'a',
    nouns: plural.replaceAll('-', ' '),
    camel: camel(name),
    camels: camel(plural),
    pascal: camel(`-${name}`),
    table: plural.replaceAll('-', '_'),
    path: `/v1/${plural}`,
  }
}

/** The files of a new kind, by path: a row with a size, which its reconciler brings from `pending` to `ready`. */
export function filesOfKind(name, migrationNumber) {
  const words = wordsOf(name)
  const folder = `control-plane/src/kinds/${name}`
  return {
    [`packages/contract/src/${name}.ts`]: contract(words),
    [`control-plane/src/database/migrations/${migrationNumber}-${name}.ts`]: migration(words),
    [`${folder}/kind.ts`]: kind(words),
    [`${folder}/table.ts`]: table(words),
    [`${folder}/commands.ts`]: commands(words),
    [`${folder}/queries.ts`]: queries(words),
    [`${folder}/decide.ts`]: decide(words),
    [`${folder}/reconcile.ts`]: reconcile(words),
    [`${folder}/index.ts`]: index(words),
    [`${folder}/decide.test.ts`]: decideTest(words),
    [`${folder}/decide.property.test.ts`]: decidePropertyTest(words),
    [`${folder}/reconcile.test.ts`]: reconcileTest(words),
    [`${folder}/routes.test.ts`]: routesTest(words),
  }
}
