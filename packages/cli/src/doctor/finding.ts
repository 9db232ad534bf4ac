/** What one check found. `remedy` says what to do, where there is something. */
export interface Finding {
  check: string
  level: 'ok' | 'warning' | 'problem'
  message: string
  remedy?: string
}

/** What a check may look at. */
export interface Patient {
  stateFolder: string
  isRoot: boolean
  variables: Readonly<Record<string, string | undefined>>
  /** Where the control plane should be, or null when none is known. */
  context: { url: string; token: string | undefined } | null
  /** Whether a hearth runs the state folder now. */
  runsHere: boolean
  now(): Date
}

export interface Check {
  name: string
  examine(patient: Patient): Promise<Finding[]>
}
