import { createHash, randomBytes } from 'node:crypto'

/** Where a guest, of whatever image, finds the random seed it was given. */
export const randomSeedPath = '/var/lib/hearth/seed/random'

/** 64 random bytes as one line of text, so that a shell can read it back without a program. */
export function newRandomSeed(): string {
  return randomBytes(64).toString('hex')
}

/** What is kept of a random seed, to know it again. */
export function digestRandomSeed(seed: string): string {
  return createHash('sha256').update(seed).digest('hex')
}
