import type { History, Violation } from './history.ts'

/** No environment has two claims, and a repeated claim request returns the same claim. */
export function checkClaims({ intents, repeats, records }: History): Violation[] {
  const violations: Violation[] = []
  const violate = (message: string) => violations.push({ rule: 'double claim', message, lasting: true })
  const holders = new Map<string, Set<string>>()
  for (const { id, environmentId } of [...intents.claims, ...records.claims]) {
    if (environmentId === null) continue
    holders.set(environmentId, (holders.get(environmentId) ?? new Set()).add(id))
  }
  for (const [environmentId, claims] of holders) {
    if (claims.size > 1) violate(`machine ${environmentId} was given to ${[...claims].join(' and ')}`)
  }
  for (const { id, claimId } of records.environments) {
    const holder = [...(holders.get(id) ?? [])][0]
    if (claimId !== null && holder !== undefined && holder !== claimId)
      violate(`machine ${id} was given to ${holder} and is now marked as of ${claimId}`)
  }
  for (const { key, first, again } of repeats) {
    if (first !== again) violate(`the claim under key ${key} was answered with ${first}, then with ${again}`)
  }
  return violations
}
