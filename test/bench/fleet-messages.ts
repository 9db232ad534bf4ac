/** Messages from the benchmark to a process of agents. */
export type FleetCommand =
  | { do: 'start'; stateFolders: readonly string[] }
  /** Makes agents look at ready machines and report them, spread evenly over the given time. */
  | { do: 'report'; perSecond: number; seconds: number }

/** Messages from the process to the benchmark. */
export type FleetNews =
  | { said: 'synced'; stateFolder: string; at: number }
  | { said: 'reported'; count: number }
