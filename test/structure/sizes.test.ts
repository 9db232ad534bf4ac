import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isTest, read, sourceFiles } from './source-files.ts'

const lines = (path: string) => read(path).trimEnd().split('\n').length
const vague = /(^|[-.])(utils?|helpers?|managers?|common|misc)([-.]|$)/

describe('source files', () => {
  const sources = sourceFiles()
    .filter((path) => !isTest(path))
    .map((path) => ({ path, lines: lines(path) }))
    .sort((one, other) => one.lines - other.lines)

  it('have at most 500 lines', () => {
    expect(sources.filter((source) => source.lines > 500)).toEqual([])
  })

  it('have a median under 80 lines', () => {
    const at = (share: number) => sources[Math.floor(share * (sources.length - 1))]?.lines ?? Number.NaN
    const longest = sources.at(-1)
    console.log(
      `${sources.length} source files: median ${at(0.5)} lines, nine in ten at most ${at(0.9)}, longest ${longest?.lines} (${longest?.path})`,
    )
    expect(sources.length).toBeGreaterThan(150)
    expect(at(0.5)).toBeLessThan(80)
  })

  it('are named for what they hold', () => {
    expect(sourceFiles().filter((path) => vague.test(basename(path)))).toEqual([])
  })
})
