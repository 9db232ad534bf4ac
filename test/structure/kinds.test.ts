import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesBelow, read, root, sourceFiles } from './source-files.ts'

const folder = 'control-plane/src/kinds'
const kinds = readdirSync(join(root, folder), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
const propertyTest = (_: string, place: string, name: string | undefined) =>
  `${place}${name ?? 'decide'}.property.test.ts`
const has = (path: string) => existsSync(join(root, path))

describe('kinds', () => {
  it('exist', () => {
    expect(kinds).toEqual(expect.arrayContaining(['claim', 'environment', 'project', 'runner', 'warm-pool']))
  })

  it.each(kinds)('%s says in index.ts what others may use', (kind) => {
    expect(has(`${folder}/${kind}/index.ts`)).toBe(true)
    expect(read(`${folder}/${kind}/index.ts`)).toMatch(/^export (type )?\{/m)
    expect(read(`${folder}/${kind}/index.ts`)).not.toMatch(/export \*|^(?!export|\s|\}|\/\/|import)\S/m)
  })

  it.each(kinds)('%s carries out its decisions and tests them', (kind) => {
    const files = readdirSync(join(root, folder, kind), { recursive: true, encoding: 'utf8' })
    const decisions = files.filter((file) => /(^|[./])decide\.ts$/.test(file))
    for (const file of decisions) {
      expect(files).toContain(file.replace(/\.ts$/, '.test.ts'))
      // Property tests also cover unexpected states.
      expect(files).toContain(file.replace(/^((?:.*\/)?)(?:(\w+)\.)?decide\.ts$/, propertyTest))
    }
    if (decisions.some((file) => /(^|\/)decide\.ts$/.test(file)))
      expect(files).toEqual(expect.arrayContaining(['table.ts', 'queries.ts']))
    if (files.includes('table.ts'))
      expect(read('control-plane/src/database/schema.ts')).toContain(`kinds/${kind}/table.ts`)
  })

  it.each(kinds)('%s is one declaration, in kind.ts', (kind) => {
    expect(has(`${folder}/${kind}/kind.ts`), `${folder}/${kind}/kind.ts is missing`).toBe(true)
    expect(read(`${folder}/${kind}/kind.ts`)).toContain(`name: '${kind}'`)
  })

  it.each(kinds)('%s has its tests written', (kind) => {
    const tests = filesBelow(`${folder}/${kind}`).filter((path) => path.endsWith('.test.ts'))
    expect(tests.filter((path) => read(path).includes("'not written yet'"))).toEqual([])
  })

  it('are in the generated lists', () => {
    const { status, stdout } = spawnSync(process.execPath, ['scripts/kinds.mjs', '--check'], {
      cwd: root,
      encoding: 'utf8',
    })
    expect(stdout, 'registered by hand, or not at all: run `pnpm kinds`').toBe('')
    expect(status).toBe(0)
  })

  it('have their words in the contract', () => {
    const words = sourceFiles().filter((path) => path.startsWith('packages/contract/src/'))
    // A declaration is the content of a project file, and its words are those of the file.
    const named = kinds.filter((kind) => kind !== 'declaration')
    expect(named.filter((kind) => !words.includes(`packages/contract/src/${kind}.ts`))).toEqual([])
  })
})
