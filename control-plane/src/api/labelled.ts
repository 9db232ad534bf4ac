/** Labels for what is given; an empty text takes a label away. */
export function labelled(
  before: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string | undefined>>,
) {
  const after = { ...before }
  for (const [label, value] of Object.entries(given)) {
    if (value === undefined) continue
    if (value === '') delete after[label]
    else after[label] = value
  }
  return after
}
