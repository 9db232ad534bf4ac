import { describe, expect, it } from 'vitest'
import { isTest, linesWith, sourceFiles } from './source-files.ts'

const sources = sourceFiles().filter((path) => !isTest(path))

describe('the environment', () => {
  it('is read in config.ts only; main.ts hands it over whole', () => {
    const readers = sources
      .filter((path) => !/\/config\.ts$/.test(path))
      .flatMap((path) =>
        linesWith(path, /process\s*\.\s*env|process\s*\[|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b/),
      )
      .filter((line) => !/\/main\.ts:\d+: const config = readConfig\(process\.env\)$/.test(line))
    expect(readers).toEqual([])
  })

  it('is read by each program', () => {
    const readers = sources.filter((path) => linesWith(path, /process\.env/).length > 0)
    for (const program of ['control-plane', 'runner-agent', 'packages/cli']) {
      expect(readers.some((path) => path.startsWith(`${program}/`))).toBe(true)
    }
  })
})

describe('the clock', () => {
  const now = /\bDate\.now\b|\bnew Date\(\s*\)|\bnew Date\b(?!\s*\()|(?<!new )\bDate\(\s*\)/

  it('is passed in where something is decided', () => {
    const deciding = sources.filter((path) =>
      /^control-plane\/src\/(kinds|placement|reconciling)\//.test(path),
    )
    expect(deciding.length).toBeGreaterThan(30)
    expect(deciding.flatMap((path) => linesWith(path, now))).toEqual([])
  })

  it('is read in one file', () => {
    const readers = sources.filter((path) => linesWith(path, now).length > 0)
    expect(readers).toEqual(['packages/foundation/src/clock.ts'])
  })
})
