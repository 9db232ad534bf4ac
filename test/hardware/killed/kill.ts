import type { Kill } from '../../chaos/children/messages.ts'

export const works = ['resume', 'freeze', 'flatten', 'copy'] as const
export type Work = (typeof works)[number]

/** Where an agent kills itself: at the n-th change of its host, counted from 1, that a kind of work makes. */
export interface WorkKill extends Kill {
  work: Work
}

/** Variable that tells an agent where to kill itself. */
export const killSetting = 'HEARTH_TEST_KILL'

export const readKill = (text: string | undefined): WorkKill | null =>
  text === undefined ? null : (JSON.parse(text) as WorkKill)
