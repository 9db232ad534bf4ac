import { nameOfRepository, type ProjectDeclarationInput, repositoryName } from '@hearth/contract'

/** A project for the person's own repository: cloned, its one set-up command run, two machines kept ready. */
export function declarationOf(wish: {
  url: string
  setup: string | undefined
  environmentClass: string
}): ProjectDeclarationInput {
  const setup = wish.setup === undefined ? [] : [wish.setup]
  return {
    apiVersion: 'hearth/v1',
    name: nameOfRepository(wish.url),
    repositories: [{ url: wish.url, name: repositoryName(wish.url), setup }],
    warmPools: [{ environmentClass: wish.environmentClass, min: 2 }],
  }
}

/** The example as it is written, but with the address its repository is served at now, and the class asked for. */
export function withServedRepository(
  declaration: ProjectDeclarationInput,
  served: { url: string; environmentClass: string | undefined },
): ProjectDeclarationInput {
  const { environmentClass } = served
  return {
    ...declaration,
    repositories: declaration.repositories?.map((repository) => ({ ...repository, url: served.url })),
    warmPools: declaration.warmPools?.map((pool) =>
      environmentClass === undefined ? pool : { ...pool, environmentClass },
    ),
  }
}
