import { existsSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  anchors,
  type CommandLine,
  documents,
  hearthCommands,
  type Link,
  relativeLinks,
} from './documents.ts'
import { HearthHelp } from './hearth-help.ts'
import { phaseTables } from './phase-tables.ts'
import { read, root } from './source-files.ts'

describe('documents', () => {
  it('link to existing files and headings', () => {
    const links = documents().flatMap(relativeLinks)
    expect(links.length).toBeGreaterThan(20)
    expect(links.filter((link) => !resolves(link))).toEqual([])
  })

  it('can all be reached from the README', () => {
    const reached = new Set(['README.md'])
    for (const document of reached) {
      for (const { target } of relativeLinks(document)) {
        const path = pathOf({ document, target })
        if (path.endsWith('.md') && existsSync(join(root, path))) reached.add(path)
      }
    }
    expect(documents().filter((document) => !reached.has(document))).toEqual([])
  })

  it('have their broken links found, as this test shows', () => {
    expect(resolves({ document: 'README.md', target: 'docs/absent.md' })).toBe(false)
    expect(resolves({ document: 'README.md', target: 'README.md#no-such-heading' })).toBe(false)
  })
})

describe('the walks and tables', () => {
  it('how-it-works names existing files', () => {
    const paths = [
      ...read('docs/how-it-works.md').matchAll(/`((?:packages|control-plane|runner-agent)\/[^`]+)`/g),
    ]
    expect(paths.length).toBeGreaterThan(40)
    expect(paths.flatMap(([, path]) => (existsSync(join(root, path ?? '')) ? [] : path))).toEqual([])
  })

  it('phases are those of the code', async () => {
    await expect(phaseTables()).toMatchFileSnapshot(join(root, 'docs/phases.md'))
  })
})

const pathOf = ({ document, target }: Link) => {
  const [path = ''] = target.split('#')
  return path === '' ? document : normalize(join(dirname(document), path))
}

function resolves(link: Link): boolean {
  const path = pathOf(link)
  if (!existsSync(join(root, path))) return false
  const anchor = link.target.split('#')[1]
  return anchor === undefined || (statSync(join(root, path)).isFile() && anchors(path).includes(anchor))
}

describe('commands named in documents', () => {
  let help: HearthHelp
  beforeAll(async () => {
    help = await HearthHelp.build()
  }, 120_000)
  afterAll(() => help[Symbol.dispose]())

  it('are understood by hearth, options and all', () => {
    const lines = documents().flatMap(hearthCommands)
    expect(lines.length).toBeGreaterThan(30)
    expect(lines.flatMap((line) => faults(help, line))).toEqual([])
  }, 300_000)

  it.each([
    ['frobnicate', 'no such command'],
    ['runner frobnicate', 'no such command'],
    ['claim shop --fallbak cold', 'no such option'],
  ])('`hearth %s` would be found out', (text, fault) => {
    expect(faults(help, { document: 'README.md', words: text.split(' ') }).join()).toContain(fault)
  })
})

const topics = ['exit-codes', 'kinds', 'context']

/** What is wrong with a command line, as far as help can tell. */
function faults(help: HearthHelp, { document, words }: CommandLine): string[] {
  const told = (fault: string) => [`${document}: hearth ${words.join(' ')}: ${fault}`]
  const [first, second] = words
  if (first !== undefined && /^[A-Z]+$/.test(first)) return []
  if (first === undefined || first.startsWith('-')) return optionFaults(help, [], words).flatMap(told)
  if (first === 'help') return second === undefined || topics.includes(second) ? [] : told('no such topic')
  if (!help.commands().includes(first)) return told('no such command')
  const below = help.commands(first).filter((name) => name !== 'help')
  if (below.length === 0) return optionFaults(help, [first], words).flatMap(told)
  if (second === undefined || second === '--help') return []
  if (!below.includes(second))
    return help.takesArguments(first)
      ? optionFaults(help, [first], words).flatMap(told)
      : told('no such command')
  return optionFaults(help, [first, second], words).flatMap(told)
}

function optionFaults(help: HearthHelp, command: string[], words: string[]): string[] {
  const known = [...help.options(...command), '--help']
  const end = words.indexOf('--')
  return (end === -1 ? words : words.slice(0, end))
    .filter((word) => /^--?[a-z]/i.test(word))
    .map((word) => word.split('=')[0] ?? word)
    .filter((word) => !known.includes(word))
    .map((word) => `no such option: ${word}`)
}
