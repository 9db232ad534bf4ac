import { filesBelow, read } from './source-files.ts'

/** Documents written for people: the files at the root and all of docs/. */
export function documents(): string[] {
  return [
    'README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    ...filesBelow('docs').filter((path) => path.endsWith('.md')),
  ]
}

export interface Link {
  document: string
  target: string
}

/** Links of a document to files of the project, outside its examples. */
export function relativeLinks(document: string): Link[] {
  const prose = read(document).replace(/^```[\s\S]*?^```/gm, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .flatMap(([, target]) => target ?? [])
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => ({ document, target }))
}

/** The headings of a document as the anchors that links name. */
export function anchors(document: string): string[] {
  return [...read(document).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    (heading ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replace(/ /g, '-'),
  )
}

export interface CommandLine {
  document: string
  words: string[]
}

/** Every `hearth ...` command that a document tells its reader to type, split at spaces. */
export function hearthCommands(document: string): CommandLine[] {
  const text = read(document)
  const blocks = [...text.matchAll(/^```(?:sh|bash|console)?\n([\s\S]*?)^```/gm)].map(
    ([, block]) => block ?? '',
  )
  const inline = [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g)].map(
    ([, code]) => code ?? '',
  )
  return [...blocks.flatMap((block) => block.replace(/\\\n/g, ' ').split('\n')), ...inline]
    .flatMap((line) => line.split(/ #|\||&&|;|\$\(/))
    .map((part) =>
      part
        .trim()
        .replace(/^\$ /, '')
        .replace(/^(sudo )?(\.\/)?(?=hearth )/, ''),
    )
    .filter((part) => /^hearth( |$)/.test(part))
    .map((part) => ({ document, words: part.split(/\s+/).slice(1) }))
}
