import { z } from 'zod'
import { startOfText } from './bounded.ts'
import { declaredProcessesSchema } from './declared-processes.ts'
import { machineLimitsSchema } from './environment-class.ts'
import type { ProvisioningStepName } from './provisioning-step.ts'
import { repositoryFolderSchema, repositoryName } from './repository-folder.ts'
import { variableNameSchema, variablesSchema } from './variables.ts'

/** One set-up command: run by bash, as root; a non-zero exit fails its step. */
export const commandSchema = z.strictObject({
  name: z.string().min(1).max(120),
  command: z.string().trim().min(1).max(65_536).meta({
    description:
      'Of several lines only the status of the last counts: begin with `set -e`, or write each as a command of its own',
  }),
  timeoutSeconds: z.int().min(1).max(86_400).optional(),
})
export type Command = z.infer<typeof commandSchema>

/** A command as people write it: a bare string is its own name. */
export const commandInputSchema = z.union([
  z
    .string()
    .trim()
    .min(1)
    .max(65_536)
    .transform(
      (command): Command => ({ name: startOfText(command.split('\n')[0] ?? command, 120), command }),
    ),
  commandSchema,
])

/** `https://`, `ssh://`, `git://`, `file://` (inside the guest), or the `user@host:path` form. */
const repositoryUrl = z
  .string()
  .min(1)
  .max(2_048)
  .regex(
    /^((https?|ssh|git|file):\/\/\S+|[\w.-]+@[\w.-]+:\S+)$/,
    'a git URL: https://, ssh://, git://, file:// or user@host:path',
  )
  // A password in the URL would be visible to everybody who may read the project or its events.
  .refine(
    (url) => !/^[a-z]+:\/\/[^/?#]*:[^/?#]*@/i.test(url),
    'a URL without a password: store the password as a secret and name that secret in `token` (https://) or a key in `deployKey` (ssh://)',
  )
  .refine(
    (url) => !/^(https?|git):\/\/[^/?#]*@/i.test(url),
    'an https://, http:// or git:// URL without a user, which may be a token: name the secret that holds it in `token`',
  )

export const branchSchema = z
  .string()
  .min(1)
  .max(255)
  .regex(/^(?!-)[^\s~^:?*[\\]+$/, 'a git branch name')
const isSecureShellUrl = (url: string) => url.startsWith('ssh://') || !url.includes('://')

export const repositoryInputSchema = z
  .strictObject({
    url: repositoryUrl,
    name: repositoryFolderSchema
      .optional()
      .meta({ description: 'Folder below /home; by default the last part of the URL, as git does' }),
    branch: branchSchema.optional(),
    token: variableNameSchema
      .optional()
      .meta({ description: 'The secret whose value is the password for an https:// URL' }),
    deployKey: variableNameSchema.optional().meta({
      description: 'The secret whose value is an OpenSSH private key for an ssh:// or user@host:path URL',
    }),
    knownHosts: z.string().min(1).max(16_384).optional().meta({
      description: 'The git server’s host keys, as in known_hosts; without it the first one seen is trusted',
    }),
    setup: z.array(commandInputSchema).max(64).default([]),
  })
  .refine(({ url, token }) => token === undefined || url.startsWith('https://'), {
    path: ['token'],
    message: 'goes with an https:// URL only',
  })
  .refine(({ url, deployKey }) => deployKey === undefined || isSecureShellUrl(url), {
    path: ['deployKey'],
    message: 'goes with an ssh:// or user@host:path URL only',
  })
  .refine(
    ({ url, name }) => name !== undefined || repositoryFolderSchema.safeParse(repositoryName(url)).success,
    {
      path: ['name'],
      message: 'is needed: the last part of the URL cannot be a folder of /home',
    },
  )
  .transform(({ url, name, branch, token, deployKey, knownHosts, setup }) => ({
    url,
    name: name ?? repositoryName(url),
    branch: branch ?? null,
    ...(token === undefined ? {} : { token }),
    ...(deployKey === undefined ? {} : { deployKey }),
    ...(knownHosts === undefined ? {} : { knownHosts }),
    setup,
  }))

export const repositorySchema = z.object({
  url: z.string(),
  name: z.string(),
  branch: z.string().nullable().meta({ description: 'null for the repository’s default branch' }),
  token: z.string().optional().meta({ description: 'Name of the secret that is the password' }),
  deployKey: z.string().optional().meta({ description: 'Name of the secret that is the private key' }),
  knownHosts: z.string().optional(),
  setup: z.array(commandSchema),
})
export type Repository = z.infer<typeof repositorySchema>

/** The set-up an environment is made with: fixed when it is made, so a later change of the project leaves it as it is. */
export const provisioningPlanSchema = z.object({
  image: z.string(),
  virtualCpus: z.int(),
  memoryMebibytes: z.int(),
  diskGibibytes: z.int(),
  limits: machineLimitsSchema.optional(),
  repositories: z.array(repositorySchema),
  variables: variablesSchema,
  secretNames: z.array(z.string()),
  projectSetup: z.array(commandSchema),
  warmPoolSetup: z.array(commandSchema),
  processes: declaredProcessesSchema
    .optional()
    .meta({ description: 'The tasks and services of its project; absent where there are none' }),
})
export type ProvisioningPlan = z.infer<typeof provisioningPlanSchema>

/**
 * The most bytes of JSON of what a project and one of its pools say together. With its sealed secrets a plan then goes
 * into one message of NATS.
 */
export const mostPlanBytes = 256 * 1024

/**
 * The steps of a plan, in order; those of a repository once for each. Steps with nothing to do are listed too. Only a
 * machine that starts from a snapshot has another's identity to give up.
 */
export function planSteps(
  plan: ProvisioningPlan,
  fromSnapshot = false,
): { name: ProvisioningStepName; repository: string | null }[] {
  const each = (name: ProvisioningStepName) =>
    plan.repositories.map((repository) => ({ name, repository: repository.name }))
  return [
    { name: 'create_vm', repository: null },
    ...(fromSnapshot ? [{ name: 'own_identity' as const, repository: null }] : []),
    { name: 'ensure_server', repository: null },
    { name: 'set_env_vars', repository: null },
    ...each('clone_repo'),
    ...each('init_repo'),
    { name: 'project_setup', repository: null },
    ...each('repo_setup'),
    { name: 'warm_pool_setup', repository: null },
  ]
}
