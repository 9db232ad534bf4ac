import { type BindingStatus, bindingSteps, type ClaimBinding, noResult } from '@hearth/contract'

/** How far a claim has been bound, as it is stored. */
export interface StoredBinding extends BindingStatus {
  /** ISO 8601: since when its machine runs without being bound; null while it does not run, and once it is settled. */
  since: string | null
}

/** A binding that has not begun. */
export function pendingBinding(binding: ClaimBinding, attempt: number, since: string | null): StoredBinding {
  const steps = bindingSteps(binding).map((step) => ({ ...step, ...noResult, phase: 'pending' as const }))
  return { phase: 'pending', attempt, steps, boundAt: null, failure: null, since }
}

/** As clients see it. */
export function toBindingStatus({ since: _since, ...status }: StoredBinding): BindingStatus {
  return status
}
