import { kinds, type Session } from '@hearth/contract'
import { failureText, fields, headFields } from '../output/describe.ts'
import { formatAge } from '../output/duration.ts'
import { phaseTone } from '../output/phase-tone.ts'
import { renderTable } from '../output/table.ts'
import { targetTable } from '../output/target-table.ts'
import { defineKind, type Names, type View } from './kind.ts'
import { joined, named, namesOf } from './names.ts'
import { projectIdOf } from './project-id.ts'
import { removeFrom } from './remove-from.ts'

export const sessionKind = defineKind(kinds.Session, {
  columns: ['NAME', 'PROJECT', 'CONDITION', 'PHASE', 'TARGETS', 'RESULT', 'AGE', 'ID'],
  namesNeeded: ofWhat,
  row: (session, { terminal, now }, names) => [
    session.metadata.name,
    named(names, session.spec.projectId),
    session.spec.exitCondition,
    terminal.tone(phaseTone(session.status.phase), session.status.phase),
    String(session.status.targets.length),
    resultText(session),
    formatAge(session.metadata.createdAt, now),
    session.metadata.id,
  ],
  async fetchAll({ client, signal }, { project }) {
    const projectId = await projectIdOf({ client, signal }, project)
    return await client.sessions.listAll({ projectId }, { signal })
  },
  fetchOne: ({ client, signal }, reference) => client.sessions.get(reference, { signal }),
  describe: describeSession,
  remove: removeFrom((client) => client.sessions),
})

async function ofWhat({ client, signal }: View, items: Promise<readonly Session[]>): Promise<Names> {
  const all = (await items).map(({ spec }) => spec)
  return await joined(
    namesOf(
      client.projects,
      all.map(({ projectId }) => projectId),
      signal,
    ),
    namesOf(
      client.environments,
      all.map(({ environmentId }) => environmentId),
      signal,
    ),
    namesOf(
      client.claims,
      all.map(({ claimId }) => claimId),
      signal,
    ),
  )
}

function resultText({ status }: Session): string {
  if (status.error !== null) return status.error
  return status.done ? 'well' : '-'
}

function describeSession(session: Session, { now, terminal }: View, names: Names): string {
  const { spec, status } = session
  const nameOrNull = (id: string | null) => (id === null ? null : named(names, id))
  const head = fields([
    ...headFields(session, now),
    ['File', spec.file],
    ['Project', nameOrNull(spec.projectId)],
    ['Environment', nameOrNull(spec.environmentId)],
    ['Claim', nameOrNull(spec.claimId)],
    ['Exit condition', spec.detached ? `${spec.exitCondition}, detached` : spec.exitCondition],
    ['Phase', terminal.tone(phaseTone(status.phase), status.phase)],
    ['Process', status.processId === null ? null : String(status.processId)],
    ['Ends at', status.deadline],
    ['Result', status.done || status.error !== null ? resultText(session) : null],
  ])
  const targets = renderTable(targetTable(status.targets, terminal, now))
  const failure = status.failure === null ? [] : ['', failureText(terminal, status.failure)]
  return [head, '', targets, ...failure].join('\n')
}
