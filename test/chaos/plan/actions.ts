/**
 * What the users of a run do. Actions on one subject happen one after another, those on different subjects in
 * parallel.
 */
export interface Subject {
  name: string
  actions: Action[]
}

export type Action = { at: number } & (
  | { do: 'apply'; project: string; min: number; secret: boolean }
  | { do: 'change set-up'; project: string }
  | { do: 'resize'; project: string; min: number }
  | { do: 'delete project'; project: string; force: boolean }
  | { do: 'claim'; project: string; fallback: 'cold' | 'refuse'; again: boolean }
  | { do: 'release' }
  | { do: 'create environment'; project: string }
  | { do: 'power'; desiredPhase: 'running' | 'stopped' }
  | { do: 'delete environment' }
  | { do: 'retry' }
  | { do: 'drain'; runner: number }
  | { do: 'enable'; runner: number }
)
