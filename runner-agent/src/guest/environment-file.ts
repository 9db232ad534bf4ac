import { quote } from '../secure-shell/quote.ts'

export const environmentFilePath = '/home/.env'

/** The text of `/home/.env`: one shell assignment a variable, sorted, each value a single quoted word. */
export function environmentFile(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `${name}=${quote(value)}\n`)
    .join('')
}
