import { boundedLine } from '@hearth/contract'
import { z } from 'zod'
import type { GitServer } from './signature.ts'

/** A push to a branch, whichever server told of it. */
export interface Push {
  ref: string
  branch: string
  commit: string
  by: string | null
  defaultBranch: string | null
  /** Every address of the repository that the server named. */
  urls: string[]
}

const line = boundedLine(2_048)
const address = line.nullish().catch(null)
const who = boundedLine(255).nullish().catch(null)
const commit = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/)
/** GitHub's and Gitea's are alike. */
const githubSchema = z.object({
  ref: boundedLine(512),
  after: commit,
  pusher: z.object({ name: who, login: who, username: who }).nullish().catch(null),
  repository: z.object({
    default_branch: boundedLine(255).nullish().catch(null),
    clone_url: address,
    ssh_url: address,
    git_url: address,
    html_url: address,
  }),
})
const gitlabSchema = z.object({
  ref: boundedLine(512),
  after: commit,
  user_username: who,
  project: z.object({
    default_branch: boundedLine(255).nullish().catch(null),
    git_http_url: address,
    git_ssh_url: address,
    web_url: address,
  }),
})

const events: Record<GitServer, string> = { github: 'push', gitea: 'push', gitlab: 'Push Hook' }
const branchPrefix = 'refs/heads/'
/** What stands for no commit: the branch was deleted. */
const noCommit = /^0+$/

/** The push of a delivery, or in words why it is none. Throws a ZodError for a body that is not what the server sends. */
export function readPush(server: GitServer, event: string, body: unknown): Push | { ignored: string } {
  if (event !== events[server])
    return { ignored: `it is the event ${event.slice(0, 64) || 'without a name'}, not a push` }
  const push = server === 'gitlab' ? readGitlab(body) : readGithub(body)
  if (!push.ref.startsWith(branchPrefix)) return { ignored: `${push.ref} is no branch` }
  if (noCommit.test(push.commit)) return { ignored: `${push.ref} was deleted` }
  return { ...push, branch: push.ref.slice(branchPrefix.length) }
}

function readGithub(body: unknown): Omit<Push, 'branch'> {
  const { ref, after, pusher, repository } = githubSchema.parse(body)
  const { default_branch, clone_url, ssh_url, git_url, html_url } = repository
  return {
    ref,
    commit: after,
    by: pusher?.name ?? pusher?.login ?? pusher?.username ?? null,
    defaultBranch: default_branch ?? null,
    urls: [clone_url, ssh_url, git_url, html_url].filter((url) => typeof url === 'string'),
  }
}

function readGitlab(body: unknown): Omit<Push, 'branch'> {
  const { ref, after, user_username, project } = gitlabSchema.parse(body)
  const { default_branch, git_http_url, git_ssh_url, web_url } = project
  return {
    ref,
    commit: after,
    by: user_username ?? null,
    defaultBranch: default_branch ?? null,
    urls: [git_http_url, git_ssh_url, web_url].filter((url) => typeof url === 'string'),
  }
}
