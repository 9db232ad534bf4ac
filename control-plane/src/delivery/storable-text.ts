/** The same value with U+FFFD for what PostgreSQL cannot keep in text: NUL, and halves of a surrogate pair. */
export function storableText<Value>(value: Value): Value {
  const text = JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'string' ? inner.toWellFormed().replaceAll('\0', '\uFFFD') : inner,
  )
  return JSON.parse(text) as Value
}
