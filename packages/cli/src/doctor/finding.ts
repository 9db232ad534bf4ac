/** Result of one check. `remedy` says what to do, if anything. */
export interface Finding {
  check: string
  level: 'ok' | 'warning' | 'problem'
  message: string
  remedy?: string
}

/** What a check may use. */
export interface Patient {
  stateFolder: string
  isRoot: boolean
  variables: Readonly<Record<string, string | undefined>>
  /** Address of the control plane, or null when none is known. */
  context: { url: string; token: string | undefined } | null
  /** Whether a hearth process uses the state folder now. */
  runsHere: boolean
  /** Whether layers are read whole, also where their files look untouched. */
  readsLayers: boolean
  now(): Date
}

export interface Check {
  name: string
  examine(patient: Patient): Promise<Finding[]>
}
