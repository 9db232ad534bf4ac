import { nameOfRepository, type ProjectDeclarationInput, repositoryName } from '@hearth/contract'

/** A project for the user's own repository: cloned, its one set-up command run, two environments kept ready. */
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

/** The example's declaration with the current address of its repository and the requested class. */
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
