/** Ends an exhaustive switch: a new member of the union does not compile until it is judged. */
export function assertNever(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`)
}
