import { startOfText } from '@hearth/contract'

const mostBytes = 120
/** Fields whose values are never repeated in an error, since they may be secret. */
const secretFields = new Set(['secrets', 'variables', 'env'])
const hidden = '(not shown)'

/** What a secret itself is called in what makes or changes one. */
const secretText = 'value'

/** Whether the value at this path may be secret. */
export function isHidden(path: readonly string[]): boolean {
  return path.at(-1) === secretText || path.some((part) => secretFields.has(part))
}

/** An invalid value for an error message: shortened, and without what may be secret. */
export function shownValue(value: unknown, path: readonly string[]): string {
  if (value === undefined) return 'nothing'
  if (isHidden(path)) return hidden
  const text = JSON.stringify(value, (key, inner: unknown) => {
    if (secretFields.has(key) || (key === secretText && typeof inner === 'string')) return hidden
    if (typeof inner === 'bigint') return String(inner)
    return typeof inner === 'string' ? withoutPassword(inner) : inner
  })
  return text.length > mostBytes ? `${startOfText(text, mostBytes)}…` : text
}

/** `https://***@host` for a URL with a user or a password: either may be a token. */
export function withoutPassword(text: string): string {
  return text.replace(/:\/\/[^/\s]*@/g, '://***@')
}
