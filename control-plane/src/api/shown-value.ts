import { startOfText } from '@hearth/contract'

const mostBytes = 120
/** Fields whose values are not repeated to anybody, whatever is wrong with them. */
const secretFields = new Set(['secrets', 'variables'])
const hidden = '(not shown)'

/** Whether what stands there may be secret. */
export function isHidden(path: readonly string[]): boolean {
  return path.some((part) => secretFields.has(part))
}

/** A value that does not fit, short enough for an error and without what may be secret in it. */
export function shownValue(value: unknown, path: readonly string[]): string {
  if (value === undefined) return 'nothing'
  if (isHidden(path)) return hidden
  const text = JSON.stringify(value, (key, inner: unknown) => {
    if (secretFields.has(key)) return hidden
    return typeof inner === 'string' ? withoutPassword(inner) : inner
  })
  return text.length > mostBytes ? `${startOfText(text, mostBytes)}…` : text
}

/** `https://***@host` for a URL with a user or a password: either may be a token. */
export function withoutPassword(text: string): string {
  return text.replace(/:\/\/[^/\s]*@/g, '://***@')
}
