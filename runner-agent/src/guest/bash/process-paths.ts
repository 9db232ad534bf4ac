import { environmentFilePath } from '../environment-file.ts'

/** Paths in the guest of what it keeps of all tasks and services. */
export interface ProcessPaths {
  /** On the disk: for each process and run what has to survive a restart, and the fence. */
  ledger: string
  /** In memory: the rest of a run's state, so that a full disk does not stop it. */
  state: string
  /** Where the second version of control groups is mounted. */
  controlGroups: string
  environmentFile: string
  users: string
}

export const processPaths: ProcessPaths = {
  ledger: '/var/lib/hearth/processes',
  state: '/run/hearth/processes',
  controlGroups: '/sys/fs/cgroup',
  environmentFile: environmentFilePath,
  users: '/etc/passwd',
}

/** The control group that holds one group for each process. */
export const processGroups = (paths: ProcessPaths) => `${paths.controlGroups}/hearth`

/** Paths of one process. */
export interface PathsOfProcess {
  ledger: string
  state: string
  fence: string
  controlGroup: string
}

/** Throws where the id cannot be the name of a folder. */
export function pathsOf(processId: string, paths: ProcessPaths = processPaths): PathsOfProcess {
  if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/.test(processId)) {
    throw new Error(`a process id has letters, digits and hyphens, unlike "${processId}"`)
  }
  const ledger = `${paths.ledger}/${processId}`
  return {
    ledger,
    state: `${paths.state}/${processId}`,
    fence: `${ledger}/fence`,
    controlGroup: `${processGroups(paths)}/${processId}`,
  }
}

/** What is wished of the runs of a process stands in this file. */
export const wishFile = (processId: string, paths: ProcessPaths) => `${pathsOf(processId, paths).state}/wish`

/**
 * How a run's output is kept: each file in the run's folder `output` is named for the offset of its first byte, on top of
 * this number, so that all names are equally long. The first file holds what a short run prints, and is written without
 * starting a program; the others are of one size. Kept are the first `keptAtBothEnds` of those, and the last ones with
 * the one that is being written.
 */
export const output = {
  firstName: 1_000_000_000_000_000,
  shortBytes: 1_024,
  /** How often, for 5 ms each, more is waited for before a program takes over. */
  shortWaits: 60,
  segmentBytes: 4 * 1024 * 1024,
  keptAtBothEnds: 2,
} as const
