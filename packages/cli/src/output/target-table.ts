import type { SessionTarget, TargetState } from '@hearth/contract'
import { formatDuration } from './duration.ts'
import type { Table } from './table.ts'
import type { Terminal, Tone } from './terminal.ts'

/** The targets of a session, one in a row. */
export function targetTable(targets: readonly SessionTarget[], terminal: Terminal, now: Date): Table {
  return {
    columns: ['TARGET', 'STATE', 'FOR', 'SAYS'],
    rows: targets.map(({ name, state }) => {
      const { text, tone, says } = shownState(state)
      return [name, tone === null ? text : terminal.tone(tone, text), spanOf(state, now), says ?? '']
    }),
  }
}

interface ShownState {
  text: string
  tone: Tone | null
  says: string | null
}

function shownState(state: TargetState): ShownState {
  switch (state.kind) {
    case 'none':
      return { text: '-', tone: null, says: null }
    case 'disabled':
      return { text: 'disabled', tone: 'quiet', says: null }
    case 'waiting':
      return { text: 'waiting', tone: 'busy', says: state.message ?? state.reason }
    case 'active':
      return state.ready
        ? { text: 'ready', tone: 'good', says: null }
        : { text: 'active', tone: 'busy', says: null }
    case 'terminated':
      if (state.error === null) return { text: 'done', tone: 'good', says: null }
      return state.grace === 'tolerated'
        ? { text: 'retrying', tone: 'busy', says: state.error }
        : { text: 'failed', tone: 'bad', says: state.error }
  }
}

/** How long it has been active, or was. */
function spanOf(state: TargetState, now: Date): string {
  if ((state.kind !== 'active' && state.kind !== 'terminated') || state.startedAt === null) return ''
  const end = state.kind === 'active' ? now.getTime() : Date.parse(state.finishedAt ?? state.startedAt)
  return formatDuration(Math.max(0, end - Date.parse(state.startedAt)))
}
