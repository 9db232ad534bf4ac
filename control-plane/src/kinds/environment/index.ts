export { callerByAccessToken } from './access/access-token.ts'
export { connectionTo } from './access/connection.ts'
export { isOpenToAll, requireEntry } from './access/entry.ts'
export { readLogs } from './access/read-logs.ts'
export {
  forgetBindingSecrets,
  readBindingSecrets,
  writeBindingSecrets,
} from './binding/secrets.ts'
export {
  askProgram,
  type ProgramAnswer,
  type ProgramCaller,
  type ProgramRequest,
  streamFromProgram,
} from './call/ask.ts'
export {
  type ExecOutcome,
  execInMachine,
  type FileOutcome,
  type MachineCaller,
  readInMachine,
  writeInMachine,
} from './call/call.ts'
export { createEnvironmentAccessToken } from './commands/access-token.ts'
export { changeEnvironment, runEnvironment } from './commands/change.ts'
export { createEnvironment as createEnvironmentAlone } from './commands/create.ts'
export { createSizedEnvironment, type WantedSize } from './commands/create-sized.ts'
export { deleteEnvironment } from './commands/delete.ts'
export { labelEnvironment } from './commands/label.ts'
export { useEnvironment } from './commands/live.ts'
export { createEnvironmentLogToken } from './commands/log-token.ts'
export { retryEnvironment } from './commands/retry.ts'
export { beginLife } from './life/act.ts'
export { extend, noteActivity } from './life/change.ts'
export { activeAt, newLife, type StoredLife } from './life/life.ts'
export { lifeOf, lifeShown, toLifeStatus } from './life/status.ts'
export { activity, extension } from './life/wording.ts'
export { spokenOver } from './life/words.ts'
export { createEnvironment, createEnvironments, type NewEnvironment } from './lifecycle/create.ts'
export { declaredIn, type HeldBySnapshot, heldDeclared } from './lifecycle/declared.ts'
export { addLabels, desireDeletion, desirePhase } from './lifecycle/desire.ts'
export { heldSteps, stepDigests } from './lifecycle/held-steps.ts'
export { buildPlan, configurationOf } from './lifecycle/plan.ts'
export { forget } from './lifecycle/reconcile.ts'
export { restoreEnvironment } from './lifecycle/restore.ts'
export { memoryFault, requireSource, startFrom } from './lifecycle/source.ts'
export { listedSteps } from './listed-steps.ts'
export type { EnvironmentOwner } from './owner.ts'
export { wakesOfOwner } from './owner-rules.ts'
export { sizeOf } from './placing/accounts.ts'
export { isBooting } from './placing/at-rest.ts'
export { lockPlacement, readFleet, tryLockPlacement } from './placing/fleet.ts'
export { placeAtOnce, placementReconciler, readWaiting } from './placing/reconcile.ts'
export { lackOnHost } from './placing/room.ts'
export { runnersWithMemory } from './placing/sources.ts'
export { prebuiltConfigurationOf, projectToBuild } from './prebuilt/configuration.ts'
export { prebuildFor, prebuiltStart } from './prebuilt/source.ts'
export { environments, findEnvironment, withPlan } from './queries.ts'
export {
  countEnvironments,
  type EnvironmentSearch,
  type EnvironmentState,
  type HeldEnvironment,
  searchEnvironments,
} from './search.ts'
export {
  type EnvironmentRow,
  environmentColumns,
  type PlannedEnvironmentRow,
  toEnvironment,
  toListedEnvironment,
} from './table.ts'
export { explainEnvironment } from './why/why-queries.ts'
export { environmentWorkKind } from './work/kind.ts'
