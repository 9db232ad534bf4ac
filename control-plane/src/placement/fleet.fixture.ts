import type { RunnerFacts } from '@hearth/contract'
import type { Candidate, Wanted } from './place.ts'

/** A placement request, and a runner with room for it. */
export const small: Wanted = {
  virtualCpus: 1,
  memoryMebibytes: 1024,
  diskGibibytes: 10,
  image: 'debian-12',
  region: null,
  runnerSelector: {},
  awaited: false,
  source: null,
  runnerId: null,
  needs: null,
}

export const factsOfHost: RunnerFacts = {
  virtualization: 'qemu',
  virtualCpus: 4,
  memoryMebibytes: 4096,
  diskGibibytes: 100,
  images: ['debian-12'],
  agentVersion: '0',
  sealingKey: '',
  bringsInputs: true,
}

export function candidate(id: string, change: Partial<Candidate> = {}): Candidate {
  return {
    id,
    name: `host-${id}`,
    labels: {},
    phase: 'active',
    spec: { region: 'default', scheduling: 'enabled' },
    facts: factsOfHost,
    workKinds: ['environment', 'process', 'snapshot', 'volume'],
    reserved: { virtualCpus: 0, memoryMebibytes: 0, diskMebibytes: 0 },
    booting: 0,
    suspected: false,
    probeDue: false,
    ...change,
  }
}
