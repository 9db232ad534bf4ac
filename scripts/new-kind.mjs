// Writes the files of a new kind: `pnpm new-kind example`, or `pnpm new-kind disk-image`. What it does is yours to write:
// each of its tests fails until then, and test/structure says which.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { filesOfKind } from './new-kind/files.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const [name, ...others] = process.argv.slice(2)

function refuse(sentence) {
  console.error(`new-kind: ${sentence}`)
  process.exit(2)
}

if (name === undefined || others.length > 0) refuse('give one name, as in `pnpm new-kind disk-image`')
if (!/^[a-z]+(-[a-z]+)*$/.test(name) || name.length > 40)
  refuse(`the name must be lower-case words joined by hyphens, at most 40 characters, got ${name}`)
if (/s$/.test(name) && !/ss$/.test(name)) refuse(`the name must be the singular, got ${name}`)
if (existsSync(join(root, 'control-plane/src/kinds', name))) refuse(`there is a kind ${name} already`)
if (existsSync(join(root, 'packages/contract/src', `${name}.ts`)))
  refuse(`packages/contract/src/${name}.ts is there already`)

const numbers = readdirSync(join(root, 'control-plane/src/database/migrations')).flatMap(
  (file) => /^(\d{4})-/.exec(file)?.[1] ?? [],
)
const number = String(Math.max(...numbers.map(Number)) + 1).padStart(4, '0')
const files = filesOfKind(name, number)
for (const [path, text] of Object.entries(files)) {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
  console.log(path)
}
const written = Object.keys(files)
run(process.execPath, 'scripts/kinds.mjs')
run(join(root, 'node_modules/.bin/biome'), 'check', '--write', ...written)

function run(program, ...parameters) {
  const { status } = spawnSync(program, parameters, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) process.exitCode = status ?? 1
}
