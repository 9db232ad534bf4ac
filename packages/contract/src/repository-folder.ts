import { z } from 'zod'

const mostCharacters = 100
/** Names in `/home` that Hearth uses itself. */
const taken = ['.env']

/** The folder of a clone below `/home`: one name, as git makes them, and none that a program would take for an option. */
export const repositoryFolderSchema = z
  .string()
  .min(1)
  .max(mostCharacters)
  .regex(/^(?!-)(?!\.{1,2}$)[A-Za-z0-9._-]+$/, 'letters, digits, ".", "_" and "-", no "-" first')
  .refine((name) => !taken.includes(name), 'another name: /home/.env holds the variables')
  .meta({ example: 'Web.Shop' })

/** The folder that git itself would choose: the last part of the URL as it is, without `.git`. */
export function repositoryName(url: string): string {
  const last =
    url
      .replace(/\/+$/, '')
      .replace(/\/?\.git$/, '')
      .split(/[/:]/)
      .at(-1) ?? ''
  const name = last
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, mostCharacters)
  return name === '' || name === '.' || name === '..' ? 'repository' : name
}

/** A project's or a class's kind of name made of it: lower-case words joined by hyphens. */
export function nameOfRepository(url: string): string {
  return (
    repositoryName(url)
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, '-')
      .slice(0, 63)
      .replace(/^-+|-+$/g, '') || 'repository'
  )
}

/** Refuses two clones in one folder; also where they differ in capitals only, which people and other systems mistake. */
export function refuseSharedFolders(
  repositories: readonly { name?: string }[],
  context: z.core.$RefinementCtx<unknown>,
): void {
  const seen = new Map<string, string>()
  for (const [index, { name }] of repositories.entries()) {
    // A repository that is wrong by itself has no name yet: its own schema reports it.
    if (name === undefined) continue
    const other = seen.get(name.toLowerCase())
    if (other === undefined) seen.set(name.toLowerCase(), name)
    else {
      const message = `each repository needs a folder of its own, and ${name} is ${other === name ? 'there already' : `beside ${other}`}: give it a name`
      context.addIssue({ code: 'custom', path: [index, 'name'], message })
    }
  }
}
