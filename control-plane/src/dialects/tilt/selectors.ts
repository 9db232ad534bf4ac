import { badRequest } from './status.ts'
import type { TiltSession } from './translate.ts'

export type Selects = (session: Pick<TiltSession, 'metadata'>) => boolean

/** `metadata.name=NAME`: the only field by which sessions can be selected, in any case of its letters. */
export function fieldSelector(text: string | undefined): Selects {
  const tests = (text ?? '')
    .split(',')
    .filter((part) => part !== '')
    .map(fieldTest)
  return (session) => tests.every((test) => test(session))
}

function fieldTest(part: string): Selects {
  const [, field, operator, value = ''] = /^([^=!]+)(==|=|!=)(.*)$/.exec(part) ?? []
  if (field === undefined) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`)
  if (field !== 'metadata.name') throw badRequest(`field label not supported: ${field}`)
  const isNamed: Selects = ({ metadata }) => metadata.name === value.toLowerCase()
  return operator === '!=' ? (session) => !isNamed(session) : isNamed
}

const key = '[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?'
const patterns = {
  equals: new RegExp(`^(?<key>${key})\\s*(?<operator>==|=|!=)\\s*(?<value>[A-Za-z0-9._-]*)$`),
  among: new RegExp(`^(?<key>${key})\\s+(?<operator>in|notin)\\s*\\((?<values>[^()]*)\\)$`),
  exists: new RegExp(`^(?<operator>!?)\\s*(?<key>${key})$`),
}
const mostRequirements = 32

/** `a=b`, `a!=b`, `a in (b, c)`, `a notin (b)`, `a`, `!a`, with commas between them; all must hold. */
export function labelSelector(text: string | undefined): Selects {
  // A comma between brackets separates values.
  const parts = (text ?? '').split(/,(?![^()]*\))/).map((part) => part.trim())
  const given = parts.length === 1 && parts[0] === '' ? [] : parts
  if (given.length > mostRequirements)
    throw badRequest(`a label selector has at most ${mostRequirements} requirements`)
  const tests = given.map(labelTest)
  return ({ metadata }) => tests.every((test) => test(metadata.labels ?? {}))
}

type LabelTest = (labels: Readonly<Record<string, string>>) => boolean

function labelTest(part: string): LabelTest {
  const equals = patterns.equals.exec(part)?.groups
  if (equals !== undefined) {
    const { key: name = '', operator, value } = equals
    return operator === '!='
      ? (labels) => own(labels, name) !== value
      : (labels) => own(labels, name) === value
  }
  const among = patterns.among.exec(part)?.groups
  if (among !== undefined) {
    const { key: name = '', operator, values = '' } = among
    const listed = new Set(values.split(',').map((value) => value.trim()))
    const isListed: LabelTest = (labels) => listed.has(own(labels, name) ?? '\0')
    return operator === 'notin' ? (labels) => !isListed(labels) : isListed
  }
  const exists = patterns.exists.exec(part)?.groups
  if (exists === undefined) throw badRequest(`unable to parse requirement: ${part.slice(0, 100)}`)
  const { key: name = '', operator } = exists
  return (labels) => (own(labels, name) !== undefined) === (operator === '')
}

const own = (labels: Readonly<Record<string, string>>, name: string) =>
  Object.hasOwn(labels, name) ? labels[name] : undefined
