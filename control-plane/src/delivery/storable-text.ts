/** Replaces what PostgreSQL cannot store in text, NUL and halves of a surrogate pair, with U+FFFD. */
export function storableText<Value>(value: Value): Value {
  const text = JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'string' ? inner.toWellFormed().replaceAll('\0', '\uFFFD') : inner,
  )
  return JSON.parse(text) as Value
}
