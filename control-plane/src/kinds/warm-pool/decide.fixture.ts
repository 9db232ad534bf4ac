import type { Member, SeenPool } from './decide.ts'

/** The time of sample pools. */
export const now = new Date('2026-01-01T12:00:00Z')

/** A ready member of the present configuration, changed as given. */
export function sampleMember(id: string, change: Partial<Member> = {}): Member {
  return {
    id,
    runnerId: 'runner',
    phase: 'running',
    desiredPhase: 'running',
    notRested: false,
    current: true,
    abandoned: null,
    paused: false,
    onTrial: false,
    createdAt: now,
    readyAt: now,
    failedAt: null,
    ...change,
  }
}

/** A pool of two without members, all of which run, changed as given. */
export function samplePool(change: Partial<SeenPool> = {}): SeenPool {
  return {
    enabled: true,
    cleared: false,
    deleting: false,
    size: 2,
    running: null,
    rest: 'suspended',
    restsAgainAt: null,
    maxAgeMinutes: null,
    members: [],
    trialDue: false,
    recentBoots: [],
    bootRetryMilliseconds: 10_000,
    now,
    ...change,
  }
}
