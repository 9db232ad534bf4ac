import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesBelow, read } from './source-files.ts'

const folder = 'control-plane/src/database/migrations'
const files = filesBelow(folder)
  .map((path) => basename(path))
  .filter((name) => /^\d{4}-/.test(name))
  .sort()

/** Migrations that existing databases have run. A line is added with each release; none is ever changed. */
const released: Readonly<Record<string, string>> = {
  '0001-access.ts': '28e80f7fb495f83bbfc44baf8928e3b11daec63b14dfa6e8591d7bfcd8117411',
  '0002-environments.ts': '8a20d05c139d144ca6c88ab30b025150ccefd1acfee10acae7f41b1be4e1b656',
  '0003-delivery.ts': '85cd24f04e075a30151d58c7f61d4be1cf8330018137bd9fb436fda05c2d76a5',
  'resource-columns.ts': 'f6df7b02569eec0d38c7911597b1f1b6de755f88a1f803d914fc44065d8d5cef',
}

/** Statements that remove what replicas of the previous version still use. */
const contractions = [
  /\bDROP\s+(TABLE|COLUMN|TYPE|SCHEMA|VIEW|FUNCTION|TRIGGER)\b/i,
  /\bRENAME\b/i,
  /\bALTER\s+TYPE\b/i,
  /\bALTER\s+COLUMN\s+\S+\s+(SET\s+DATA\s+)?TYPE\b/i,
  /\bSET\s+NOT\s+NULL\b/i,
  /\bDROP\s+DEFAULT\b/i,
  /\bADD\s+CONSTRAINT\b/i,
  /\bADD\s+COLUMN\b(?=[^,;]*\bNOT\s+NULL\b)(?![^,;]*\b(DEFAULT|GENERATED)\b)/i,
  /\bTRUNCATE\b/i,
]

/** `contracts 0004-events of 0.2.0` in the comment above: nothing has used what it removes since that release. */
const mark = /contracts (\d{4}-[\w-]+) of (\d+\.\d+\.\d+)/

/** The statements that a migration's `up` runs. */
function upOf(text: string): string {
  const start = text.indexOf('async up(')
  const end = text.indexOf('async down(')
  return text.slice(start, end < start ? undefined : end)
}

function contractionsIn(text: string): string[] {
  return contractions.flatMap((pattern) => pattern.exec(upOf(text))?.[0] ?? [])
}

/** Why a migration is not allowed; null when it only adds, or removes what is no longer used. */
function objection(name: string, text: string, changelog: string): string | null {
  const found = contractionsIn(text)
  if (found.length === 0) return null
  const marked = mark.exec(text)
  if (marked === null) return `${name} takes away (${found.join(', ')}) and is not marked as a contraction`
  const [, expansion = '', version = ''] = marked
  if (!files.includes(`${expansion}.ts`)) return `${name} contracts ${expansion}, which is not there`
  const isReleased = new RegExp(`^## ${version.replaceAll('.', '\\.')}\\b`, 'm').test(changelog)
  return isReleased ? null : `${name} contracts what ${version} has brought, which is not released`
}

describe('migrations', () => {
  it('never change once released', () => {
    const hashes = Object.keys(released).map((name) => [
      name,
      createHash('sha256')
        .update(read(`${folder}/${name}`))
        .digest('hex'),
    ])
    expect(Object.fromEntries(hashes)).toEqual(released)
  })

  it('are all run, in the order of their names', () => {
    const run = [...read(`${folder}/index.ts`).matchAll(/^ {2}'(\d{4}-[\w-]+)':/gm)].map(
      ([, name]) => `${name}.ts`,
    )
    expect(run).toEqual(files)
    const numbers = files.map((name) => name.slice(0, 4))
    expect(new Set(numbers).size).toBe(numbers.length)
  })

  it.each(files.filter((name) => !(name in released)))('%s only adds', (name) => {
    expect(objection(name, read(`${folder}/${name}`), read('CHANGELOG.md'))).toBeNull()
  })

  it('are found if they would break the previous version', () => {
    const up = (statement: string) => `async up(database) { await sql.raw(\`${statement}\`) }\nasync down(`
    for (const statement of [
      'ALTER TABLE claims DROP COLUMN phase',
      'ALTER TABLE claims RENAME COLUMN phase TO state',
      'ALTER TABLE claims ALTER COLUMN phase TYPE integer USING 0',
      'ALTER TABLE claims ALTER COLUMN environment_id SET NOT NULL',
      'ALTER TABLE claims ADD COLUMN owner uuid NOT NULL',
      'DROP TABLE claims',
    ]) {
      expect(objection('0999-x.ts', up(statement), ''), statement).not.toBeNull()
    }
    for (const statement of [
      'ALTER TABLE claims ADD COLUMN owner uuid',
      "ALTER TABLE claims ADD COLUMN owner text NOT NULL DEFAULT ''",
      'CREATE TABLE owners (id uuid NOT NULL)',
      'CREATE INDEX claims_owner ON claims (owner)',
    ]) {
      expect(objection('0999-x.ts', up(statement), ''), statement).toBeNull()
    }
    const marked = `/** It contracts 0003-delivery of 0.1.0. */ ${up('DROP TABLE outbox')}`
    expect(objection('0999-x.ts', marked, '## Unreleased: 0.2.0\n')).toContain('not released')
    expect(objection('0999-x.ts', marked, '## 0.1.0\n')).toBeNull()
  })
})
