import { HearthError, invalidValue } from '@hearth/foundation'
import {
  GitInitializer_CloneTargetMode as CloneTargetMode,
  type EnvironmentInitializer,
} from '../generated/gitpod/v1/environment_spec_pb.ts'
import type { ProjectPrebuildConfiguration } from '../generated/gitpod/v1/project_pb.ts'
import { gitContextOf, isOfChange } from './context-url.ts'

/** A name of Hearth for what may be called anything. */
export function nativeName(name: string, otherwise = 'project'): string {
  const words = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 50)
    .replace(/^-+|-+$/g, '')
  return words === '' ? otherwise : words
}

/** The repositories of an initializer. Of what a machine checks out Hearth knows the branch, by default that of the server. */
export function nativeRepositories(initializer: EnvironmentInitializer | undefined) {
  return (initializer?.specs ?? []).map(({ spec }, index) => {
    const field = `initializer.specs[${index}]`
    if (spec.case === 'contextUrl') return repositoryOf(spec.value.url, field)
    if (spec.case === undefined)
      throw invalidValue({ field, given: 'nothing', expected: 'git or contextUrl' })
    const { remoteUri, targetMode, cloneTarget } = spec.value
    switch (targetMode) {
      case CloneTargetMode.UNSPECIFIED:
      case CloneTargetMode.REMOTE_HEAD:
        return { url: remoteUri }
      case CloneTargetMode.REMOTE_BRANCH:
        return { url: remoteUri, branch: cloneTarget }
      default:
        throw onlyBranches(field)
    }
  })
}

const onlyBranches = (field: string) =>
  new HearthError(
    'unprocessable',
    `${field}: a project checks out a branch or the default one; a commit, a tag, a pull request or a new branch is not supported`,
  )

/** The repository that a page of it on its server belongs to, and the branch that the page is of. */
function repositoryOf(contextUrl: string, field: string): { url: string; branch?: string } {
  const git = gitContextOf(contextUrl)
  if (git === null) return { url: contextUrl }
  const { cloneUrl, branch, commit, tag } = git
  if (commit !== '' || tag !== '' || isOfChange(contextUrl)) throw onlyBranches(field)
  const isNamedSo = /\.git(?:[/?#]|$)/.test(contextUrl)
  const url = isNamedSo ? cloneUrl : cloneUrl.replace(/\.git$/, '')
  return { url, ...(branch === '' ? {} : { branch }) }
}

/** What a project says of its prebuilds; null where it makes none. */
export function nativePrebuilds(given: ProjectPrebuildConfiguration | undefined) {
  if (given?.enabled !== true || given.environmentClassIds.length === 0) return null
  const { trigger } = given.trigger ?? {}
  const seconds = given.timeout?.seconds
  return {
    classes: given.environmentClassIds,
    ...(trigger?.case === 'dailySchedule'
      ? { schedule: { dailyHour: trigger.value.hourUtc, timeZone: 'UTC' } }
      : {}),
    ...(seconds === undefined ? {} : { timeoutSeconds: Number(seconds) }),
  }
}
