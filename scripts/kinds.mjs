// Writes the lists of kinds, tables, migrations and groups of calls from the folders that hold them; run it as
// `pnpm kinds` after a kind or a migration was added or removed. With `--check` it says what is not up to date.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const header = '// Written by `pnpm kinds`: not to be changed by hand.\n'
const names = (folder, pattern) =>
  readdirSync(join(root, folder))
    .flatMap((name) => pattern.exec(name)?.[1] ?? [])
    .sort()
const read = (path) => readFileSync(join(root, path), 'utf8')
const has = (path) => existsSync(join(root, path))
const camel = (word) => word.replace(/-([a-z0-9])/g, (_, letter) => letter.toUpperCase())
const pascal = (word) => camel(`-${word}`)

const controlPlaneKinds = 'control-plane/src/kinds'
const folders = names(controlPlaneKinds, /^([a-z-]+)$/)
const contractFiles = names('packages/contract/src', /^([a-z-]+)\.ts$/)
const contractKinds = contractFiles.filter((name) =>
  read(`packages/contract/src/${name}.ts`).includes(`export const ${camel(name)}Kind = defineKind(`),
)
const clientGroups = names('packages/client/src/groups', /^([a-z-]+)\.ts$/).filter((name) => name !== 'index')
const commandKinds = names('packages/cli/src/kinds', /^([a-z-]+)\.ts$/).filter((name) =>
  read(`packages/cli/src/kinds/${name}.ts`).includes(`export const ${camel(name)}Kind = `),
)
const tableFiles = [
  ...folders
    .filter((name) => has(`${controlPlaneKinds}/${name}/table.ts`))
    .map((name) => `../kinds/${name}/table.ts`),
  ...names('control-plane/src/database', /^([a-z-]+-table)\.ts$/).map((name) => `./${name}.ts`),
]
const migrations = names('control-plane/src/database/migrations', /^(\d{4}-[a-z0-9-]+)\.ts$/)

const lists = {
  'packages/contract/src/kinds.ts': [
    ...contractKinds.map((name) => `import { ${camel(name)}Kind } from './${name}.ts'`),
    '',
    ...contractKinds.map((name) => `export * from './${name}.ts'`),
    '',
    '/** Every kind by its name. */',
    'export const kinds = {',
    ...contractKinds.map((name) => `  ${pascal(name)}: ${camel(name)}Kind,`),
    '} as const',
  ],
  'packages/client/src/groups/index.ts': clientGroups.map(
    (name) => `export { ${camel(name)} } from './${name}.ts'`,
  ),
  'packages/cli/src/kinds/shown.ts': commandKinds.map(
    (name) => `export { ${camel(name)}Kind } from './${name}.ts'`,
  ),
  'control-plane/src/kinds/kinds.ts': folders.map(
    (name) => `export { ${camel(name)}Kind } from './${name}/kind.ts'`,
  ),
  'control-plane/src/database/schema.ts': [
    ...tableFiles.map((path) => `import type { ${tablesOf(path)} } from '${path}'`),
    '',
    '/** Every table, by its name in PostgreSQL. */',
    'export interface Schema',
    `  extends ${tableFiles.map(tablesOf).join(',\n    ')} {}`,
  ],
  'control-plane/src/database/migrations/index.ts': [
    "import type { Migration } from 'kysely'",
    ...migrations.map((name) => `import { ${migrationIn(name)} } from './${name}.ts'`),
    '',
    '/** In the order of their names. A migration that has been released never changes. */',
    'export const migrations: Record<string, Migration> = {',
    ...migrations.map((name) => `  '${name}': ${migrationIn(name)},`),
    '}',
  ],
}

function tablesOf(path) {
  const name = path.startsWith('./') ? path.slice(2, -3).replace(/-table$/, '') : path.split('/')[2]
  return `${pascal(name)}Tables`
}

function migrationIn(name) {
  return /export const (\w+)/.exec(read(`control-plane/src/database/migrations/${name}.ts`))?.[1]
}

const stale = Object.entries(lists).filter(([path, lines]) => {
  const text = `${header}\n${lines.join('\n')}\n`
  if (has(path) && read(path) === text) return false
  if (!process.argv.includes('--check')) writeFileSync(join(root, path), text)
  return true
})
for (const [path] of stale) console.log(path)
if (process.argv.includes('--check') && stale.length > 0) {
  console.error('these lists are not what the folders say: run `pnpm kinds`')
  process.exitCode = 1
}
