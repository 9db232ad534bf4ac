import { join } from 'node:path'
import {
  faultsOf,
  type ProjectDeclarationInput,
  projectDeclarationSchema,
  repositoryName,
} from '@hearth/contract'
import { HearthError, toError } from '@hearth/foundation'
import { readProjectFile } from '../apply/project-file.ts'
import type { LocalStack } from '../dev/local-stack.ts'
import { ProcessRecord } from '../dev/process-record.ts'
import { followPools } from '../following/follow-pools.ts'
import type { PoolState } from '../following/pool-state.ts'
import { applyAndRevive } from '../following/revive-pools.ts'
import { installation } from '../installation.ts'
import type { Invocation } from '../invocation.ts'
import { renderTable } from '../output/table.ts'
import { takeClaim } from '../ssh/take-claim.ts'
import { ensureClass } from './class.ts'
import { declarationOf, withServedRepository } from './declaration.ts'
import { claimOfEmptyPool } from './empty-pool.ts'
import { firstCommand } from './first-command.ts'
import { type GitServer, serveRepositories } from './git-server.ts'
import type { GitServerAddress } from './git-server-address.ts'
import { measurementTable, startTable } from './measurements.ts'
import { startPrebuilt } from './prebuilt-starts.ts'
import { isLocalRepository, repositoryOfFolder, repositoryOfPath } from './repositories.ts'

export interface QuickstartWish {
  stateFolder: string
  /** A URL, or the path of a repository on this host; the example when absent. */
  repository: string | undefined
  setup: string | undefined
  environmentClass: string | undefined
  synthetic: boolean
}

/** The declaration for `--repo` or the example; its repository is served to the guests if it is on this host. */
export async function serveProject(
  wish: QuickstartWish,
  address: GitServerAddress,
  invocation: Invocation,
): Promise<{ declaration: ProjectDeclarationInput; gitServer: GitServer | null }> {
  const { repository, environmentClass } = wish
  const { variables } = invocation.config
  if (repository !== undefined && !isLocalRepository(repository)) {
    const declaration = declarationOf({
      url: repository,
      setup: wish.setup,
      environmentClass: environmentClass ?? 'small',
    })
    return { declaration: checked(declaration), gitServer: null }
  }
  const folder = join(wish.stateFolder, 'quickstart', 'repositories')
  const name = repository === undefined ? 'application' : repositoryName(repository)
  if (repository === undefined) {
    await repositoryOfFolder(join(installation.quickstart, 'application'), { folder, name }, variables)
  } else await repositoryOfPath(repository, { folder, name }, variables)
  const record = new ProcessRecord(wish.stateFolder)
  const gitServer = await serveRepositories(folder, {
    address,
    logFile: join(wish.stateFolder, 'logs', 'git-daemon.log'),
    variables,
    signal: invocation.signal,
    listener: { started: record.add.bind(record), note: (text) => invocation.terminal.note(text) },
  })
  const url = gitServer.url(name)
  const declaration =
    repository === undefined
      ? withServedRepository(readProjectFile(join(installation.quickstart, 'hearth.yaml')), {
          url,
          environmentClass,
        })
      : declarationOf({ url, setup: wish.setup, environmentClass: environmentClass ?? 'small' })
  return { declaration: checked(declaration), gitServer }
}

function checked(declaration: ProjectDeclarationInput): ProjectDeclarationInput {
  const parsed = projectDeclarationSchema.safeParse(declaration)
  if (parsed.success) return declaration
  const details = faultsOf(projectDeclarationSchema, parsed.error.issues).map(({ path, expected }) => ({
    field: path[0] === 'repositories' ? '--repo' : path.join('.'),
    given: '',
    expected,
  }))
  throw new HearthError('invalid', 'this does not make a project', { details })
}

/** Fills the pool, claims one of its members, runs a command there, and prints the measurements. */
export async function showWarmClaim(
  wish: QuickstartWish,
  declaration: ProjectDeclarationInput,
  stack: LocalStack,
  invocation: Invocation,
): Promise<{ claim: string }> {
  const { client } = stack
  const { terminal, signal, clock } = invocation
  await ensureClass(client, wish.environmentClass, signal)
  const states = await fillPool(declaration, stack, invocation)
  const claimed = await takeClaim(
    client,
    { project: declaration.name, fallback: 'refuse', waitSeconds: 0 },
    { stateFolder: wish.stateFolder, variables: invocation.config.variables, signal },
  )
  const claimId = claimed.claim.metadata.id
  terminal.out(`\nclaimed ${claimed.claim.metadata.name}`)
  let firstCommandMilliseconds: number | null = null
  const [repository] = projectDeclarationSchema.parse(declaration).repositories
  if (!wish.synthetic) {
    const started = performance.now()
    const said = await firstCommand(wish.stateFolder, claimId, repository?.name, {
      variables: invocation.config.variables,
      signal,
    })
    firstCommandMilliseconds = claimed.milliseconds + performance.now() - started
    terminal.out(`it says: ${said.replaceAll('\n', ', ')}`)
  } else terminal.note('synthetic machines run no commands, so none is tried')
  const environments = states.flatMap((state) => state.environments)
  const table = measurementTable({
    machines: environments,
    claimMilliseconds: claimed.milliseconds,
    firstCommandMilliseconds,
  })
  const how = `(${virtualizationOf(stack)}; ${clock.now().toISOString()})`
  terminal.out(`\n${renderTable(table)}\n${how}`)
  const [state] = states
  if (state !== undefined) {
    terminal.out('\nthe same from a prebuild, on which the set-up is done already')
    try {
      const prebuilt = await startPrebuilt(state, invocation, client)
      const given = { client, stateFolder: wish.stateFolder, invocation }
      const starts = {
        ...prebuilt,
        emptyPoolMilliseconds:
          wish.synthetic || prebuilt.memory === null
            ? null
            : await claimOfEmptyPool(state.pool, repository?.name, given),
      }
      terminal.out(`\n${renderTable(startTable(environments, starts))}\n${how}`)
    } catch (error) {
      signal.throwIfAborted()
      terminal.note(`starts from a prebuild could not be shown: ${toError(error).message}`)
    }
  }
  return { claim: claimed.claim.metadata.name }
}

async function fillPool(
  declaration: ProjectDeclarationInput,
  { client }: LocalStack,
  { terminal, signal, clock }: Invocation,
): Promise<PoolState[]> {
  const result = await applyAndRevive(client, declaration, signal)
  const pools = result.warmPools
    .filter(({ change }) => change !== 'deleted')
    .map(({ id, environmentClass }) => ({ id, title: `warm pool ${declaration.name}/${environmentClass}` }))
  return await followPools(client, pools, { terminal, clock, signal })
}

function virtualizationOf({ runners }: LocalStack): string {
  switch (runners[0]?.status.facts?.virtualization) {
    case 'kvm':
      return 'real machines under KVM'
    case 'qemu':
      return 'real machines, emulated: KVM cannot be used here'
    case 'synthetic':
      return 'synthetic machines: times are settings, not measurements of this machine'
    case undefined:
      return 'no runner'
  }
}
