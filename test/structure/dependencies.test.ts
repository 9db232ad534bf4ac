import type { ICruiseResult } from 'dependency-cruiser'
import { beforeAll, describe, expect, it } from 'vitest'
import { cruiseFolder, violations, workspaces } from './cruise.ts'
import { root } from './source-files.ts'

describe('the dependency rule', () => {
  let result: ICruiseResult
  beforeAll(async () => {
    result = await cruiseFolder(root, workspaces)
  }, 600_000)

  it('holds for every import of the project', () => {
    expect(violations(result)).toEqual([])
  })

  it('looked at the whole project', () => {
    // If the cruiser cannot use the compiler, it finds no imports, and then no rule is broken.
    const ours = result.modules.filter(({ source }) =>
      /^(packages|control-plane|runner-agent|test)\//.test(source),
    )
    expect(ours.length).toBeGreaterThan(150)
    for (const workspace of ['packages/contract', 'packages/cli', 'control-plane', 'runner-agent', 'test']) {
      expect(ours.some(({ source }) => source.startsWith(`${workspace}/`))).toBe(true)
    }
  })

  it('leaves no cycle between kinds, counting imports of types too', () => {
    const uses = usesBetweenKinds(result)
    expect(uses.size).toBeGreaterThan(5)
    expect(cycleIn(uses)).toBeNull()
  })
})

const kindOf = (path: string) => /^control-plane\/src\/kinds\/([^/]+)\//.exec(path)?.[1]

/** The kinds that each kind uses; a table named as a type is a foreign key and does not count. */
function usesBetweenKinds({ modules }: ICruiseResult): Map<string, Set<string>> {
  const uses = new Map<string, Set<string>>()
  for (const { source, dependencies } of modules) {
    const from = kindOf(source)
    if (from === undefined) continue
    const others = uses.get(from) ?? new Set()
    uses.set(from, others)
    for (const { resolved } of dependencies) {
      const to = kindOf(resolved)
      if (to !== undefined && to !== from && !resolved.endsWith('/table.ts')) others.add(to)
    }
  }
  return uses
}

/** Removes kinds that use no other, again and again: what remains is a circle, or nothing. */
function cycleIn(uses: ReadonlyMap<string, ReadonlySet<string>>): string[] | null {
  const left = new Map(uses)
  for (;;) {
    const free = [...left].filter(([, others]) => [...others].every((other) => !left.has(other)))
    if (free.length === 0) return left.size === 0 ? null : [...left.keys()]
    for (const [kind] of free) left.delete(kind)
  }
}

describe('the search for a cycle', () => {
  it('finds one', () => {
    const uses = new Map([
      ['claim', new Set(['pool'])],
      ['pool', new Set(['environment'])],
      ['environment', new Set(['claim'])],
      ['event', new Set<string>()],
    ])
    expect(cycleIn(uses)).toEqual(['claim', 'pool', 'environment'])
  })
})
