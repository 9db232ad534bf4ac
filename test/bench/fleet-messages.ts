/** What the benchmark says to a process of agents. */
export type FleetCommand =
  | { do: 'start'; stateFolders: readonly string[] }
  /** Has ready machines looked at and reported, spread evenly over the time. */
  | { do: 'report'; perSecond: number; seconds: number }

/** What the process says back. */
export type FleetNews =
  | { said: 'synced'; stateFolder: string; at: number }
  | { said: 'reported'; count: number }
