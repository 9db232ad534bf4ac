/** On whose behalf something is done in a guest: the runner, its lease and the order. */
export interface Origin {
  runnerId: string
  epoch: number
  generation: number
}
