import { stripVTControlCharacters } from 'node:util'
import type { TaskResult } from './result.ts'

/** JUnit's XML: each task is a test case. */
export function junit(results: readonly TaskResult[], suite: string): string {
  const count = (outcome: TaskResult['outcome']) =>
    results.filter((result) => result.outcome === outcome).length
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0).toFixed(3)
  const counts = `tests="${results.length}" failures="${count('failed')}" skipped="${count('skipped')}" time="${seconds}"`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="${escaped(suite)}" ${counts}>`,
    ...results.map(testCase),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}

function testCase({ name, outcome, seconds, message, output }: TaskResult): string {
  const head = `    <testcase name="${escaped(name)}" classname="hearth" time="${seconds.toFixed(3)}">`
  const parts = [
    ...(outcome === 'failed' ? [`<failure message="${escaped(message ?? '')}"/>`] : []),
    ...(outcome === 'skipped' ? [`<skipped message="${escaped(message ?? '')}"/>`] : []),
    ...(output === '' ? [] : [`<system-out>${escaped(output)}</system-out>`]),
  ]
  return [head, ...parts.map((part) => `      ${part}`), '    </testcase>'].join('\n')
}

// What XML has no way to say is left out, as are colours.
const escaped = (text: string) =>
  stripVTControlCharacters(text)
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is left out
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')

const mark = { succeeded: '✅', failed: '❌', skipped: '⏭️' } as const
const mostOutputBytes = 4 * 1024

/** A page in Markdown, as GitHub shows it beside a job. */
export function summary(results: readonly TaskResult[], title: string): string {
  const rows = results.map(
    ({ name, outcome, seconds, message }) =>
      `| ${mark[outcome]} | ${inTable(name)} | ${seconds.toFixed(1)} s | ${inTable(message ?? '')} |`,
  )
  const failed = results.filter(({ outcome, output }) => outcome === 'failed' && output.trim() !== '')
  const blocks = failed.map(({ name, output }) => {
    const text = stripVTControlCharacters(output).slice(-mostOutputBytes).trimEnd()
    const fence = '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length + 1)))
    return `\n### ${inTable(name)}\n\n${fence}\n${text}\n${fence}\n`
  })
  return [`## ${title}`, '', '| | task | took | |', '|---|---|---|---|', ...rows, ...blocks, ''].join('\n')
}

const inTable = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replace(/\s+/g, ' ')
