import { bindingLimits, type ClaimBinding } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { WantedBinding } from './wanted.ts'

interface OwnSecret {
  variable: string | null
  gitHost: string | null
  value: string
}

/**
 * What a claim asks to be bound, with the secrets of its claimant. What the claim says itself counts. The passwords of git are
 * configured by variables too, so that one file of the machine holds all there is.
 */
export function withOwnSecrets(
  wanted: WantedBinding | null,
  own: readonly OwnSecret[],
): WantedBinding | null {
  if (own.length === 0) return wanted
  const { binding, secrets: before }: WantedBinding = wanted ?? { binding: nothing, secrets: {} }
  const said = new Set([...Object.keys(binding.variables), ...binding.secretNames])
  const variables = variablesOf(own)
  const configuresGit = said.has(gitCount) || gitCount in variables
  const git = configuresGit ? noPasswords : gitVariables(own)
  const mine = Object.entries({ ...variables, ...git.secrets }).filter(
    ([name]) => !said.has(name) && !(name in git.plain),
  )
  const secrets: Record<string, string> = { ...before, ...Object.fromEntries(mine) }
  const plain = { ...git.plain, ...binding.variables }
  refuseTooMuch({ ...plain, ...secrets })
  return { binding: { ...binding, variables: plain, secretNames: Object.keys(secrets).sort() }, secrets }
}

/** Whoever says it says all that git is told by variables. */
const gitCount = 'GIT_CONFIG_COUNT'

const nothing: ClaimBinding = {
  variables: {},
  secretNames: [],
  repositories: [],
  hostname: null,
  startCommand: null,
  waitFor: 'bound',
}

const variablesOf = (own: readonly OwnSecret[]): Record<string, string> =>
  Object.fromEntries(
    own.flatMap(({ variable, value }) => (variable === null ? [] : [[variable, value] as const])),
  )

const noPasswords: Record<'plain' | 'secrets', Record<string, string>> = { plain: {}, secrets: {} }

/** git reads its configuration from variables as from its files. */
function gitVariables(own: readonly OwnSecret[]): Record<'plain' | 'secrets', Record<string, string>> {
  const passwords = own.flatMap(({ gitHost, value }) => (gitHost === null ? [] : [{ gitHost, value }]))
  if (passwords.length === 0) return noPasswords
  const plain: Record<string, string> = { [gitCount]: String(passwords.length) }
  const secrets: Record<string, string> = {}
  for (const [index, { gitHost, value }] of passwords.entries()) {
    const variable = `HEARTH_GIT_PASSWORD_${index}`
    plain[`GIT_CONFIG_KEY_${index}`] = `credential.https://${gitHost}.helper`
    plain[`GIT_CONFIG_VALUE_${index}`] = helper(variable)
    secrets[variable] = value
  }
  return { plain, secrets }
}

/** Most servers take a token with any user name. */
const helper = (variable: string) =>
  `!f() { [ "$1" = get ] && printf 'username=hearth\\npassword=%s\\n' "$${variable}"; }; f`

function refuseTooMuch(variables: Readonly<Record<string, string>>): void {
  const entries = Object.entries(variables)
  const bytes = entries.flat().reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  if (entries.length <= bindingLimits.variables && bytes <= bindingLimits.totalBytes) return
  throw new HearthError(
    'unprocessable',
    `the variables of the claim and your own secrets are ${entries.length} with ${bytes} bytes together, and may be ${bindingLimits.variables} with ${bindingLimits.totalBytes}`,
  )
}
