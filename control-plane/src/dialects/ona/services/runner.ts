import type { ServiceImpl } from '@connectrpc/connect'
import { invalidValue } from '@hearth/foundation'
import { projects, specOf } from '../../../kinds/project/index.ts'
import { runners, showRunners } from '../../../kinds/runner/index.ts'
import { RunnerKind, RunnerProvider } from '../generated/gitpod/v1/runner_configuration_pb.ts'
import type { RunnerService } from '../generated/gitpod/v1/runner_pb.ts'
import { gitContextOf } from '../translate/context-url.ts'
import { toOnaRunner } from '../translate/runner.ts'
import { callOf } from '../wire/call.ts'
import { isOnlyOther, page, someOf } from '../wire/paging.ts'
import { runnerChange } from './runner-change.ts'

const mostProjects = 1_000

type Methods =
  | keyof typeof runnerChange
  | 'getRunner'
  | 'listRunners'
  | 'parseContextURL'
  | 'checkAuthenticationForHost'

export const runnerService: Pick<ServiceImpl<typeof RunnerService>, Methods> = {
  ...runnerChange,

  async getRunner({ runnerId }, context) {
    const { caller, services } = callOf(context)
    const row = await runners.get(services.database, caller, runnerId)
    const [runner] = await showRunners(services.database, [row])
    return { ...(runner === undefined ? {} : { runner: toOnaRunner(runner) }) }
  },

  async listRunners({ pagination, filter }, context) {
    const { caller, services } = callOf(context)
    const { organizationId } = caller
    const isOfNone =
      isOnlyOther(filter?.kinds, [RunnerKind.REMOTE]) ||
      isOnlyOther(filter?.providers, [RunnerProvider.LINUX_HOST])
    if (isOfNone) return { pagination: {}, runners: [] }
    const having = { creator: someOf(filter?.creatorIds) }
    const found = await page(pagination, (asked) =>
      runners.list(services.database, { ...asked, organizationId }, having),
    )
    const items = await showRunners(services.database, found.rows)
    return { pagination: found.pagination, runners: items.map(toOnaRunner) }
  },

  /** Nobody is asked: the address says which repository it is of. */
  async parseContextURL({ contextUrl }, context) {
    const { caller, services } = callOf(context)
    const git = gitContextOf(contextUrl)
    if (git === null)
      throw invalidValue({
        field: 'contextUrl',
        given: 'another text',
        expected:
          'the address of a repository or of a page of it, as in https://git.example.com/ours/shop/tree/main',
      })
    const { organizationId } = caller
    const rows = await projects.list(services.database, { organizationId, limit: mostProjects })
    const bare = (url: string) => url.replace(/\.git$/, '')
    const own = rows.filter((row) =>
      specOf(row).repositories.some(({ url }) => bare(url) === bare(git.cloneUrl)),
    )
    return { originalContextUrl: contextUrl, git, projectIds: own.map(({ id }) => id) }
  },

  /** The credentials for repositories are a project's secrets: nobody signs in to a git server here. */
  checkAuthenticationForHost: () => ({ authenticated: true }),
}
