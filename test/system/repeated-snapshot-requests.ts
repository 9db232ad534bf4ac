import type { HearthClient } from '@hearth/client'
import { newId } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import type pg from 'pg'
import { newPublicKey } from './public-key.ts'
import { startRunningMachine } from './running-machine.ts'

interface Ground {
  client(): HearthClient
  sql(): pg.Client
  /** Sends a POST and returns the id in its answer. */
  make(path: string, body: unknown): Promise<string>
}
type Prepared = { path: string; body: unknown; other: unknown; otherPath?: string }

/** The POSTs that make snapshots, forks and prebuilds, and those that put machines back. */
export function snapshotPosts({
  client,
  sql,
  make,
}: Ground): { name: string; prepare(): Promise<Prepared> }[] {
  const claimOfRunning = async () => {
    const project = `p-${newId()}`.slice(0, 40)
    await client().apply({ apiVersion: 'hearth/v1', name: project, warmPools: [{ min: 0 }] })
    const spec = { project, fallback: 'cold', publicKey: newPublicKey() }
    const claimId = await make('/v1/claims', { spec })
    const environmentId = await startRunningMachine(client())
    await sql().query('UPDATE environments SET claim_id = $2 WHERE id = $1', [environmentId, claimId])
    await sql().query(`UPDATE claims SET phase = 'bound', environment_id = $2 WHERE id = $1`, [
      claimId,
      environmentId,
    ])
    return claimId
  }
  /** As its runner would report it, however often its reconciler looks meanwhile. */
  const makeReady = (snapshotId: string) =>
    eventually(
      async () => {
        await sql().query(`UPDATE snapshot_holders SET phase = 'present' WHERE snapshot_id = $1`, [
          snapshotId,
        ])
        await sql().query(`UPDATE snapshots SET phase = 'ready' WHERE id = $1`, [snapshotId])
        const due = await sql().query(`SELECT 1 FROM snapshots WHERE id = $1 AND phase = 'ready'`, [
          snapshotId,
        ])
        return due.rowCount === 1 ? true : null
      },
      { timeoutMilliseconds: 10_000 },
    )
  const prebuild = async () => {
    const name = `p-${newId()}`.slice(0, 40)
    const { metadata } = await client().projects.create({ name, spec: {} })
    const body = (timeoutSeconds: number) => ({
      spec: { projectId: metadata.id, environmentClassId: 'small', timeoutSeconds },
    })
    return { path: '/v1/prebuilds', body: body(600), other: body(700) }
  }
  const ofPrebuild = (action: string) => async () => {
    const [one, another] = [await prebuild(), await prebuild()]
    return {
      path: `/v1/prebuilds/${await make(one.path, one.body)}/${action}`,
      otherPath: `/v1/prebuilds/${await make(another.path, another.body)}/${action}`,
      body: undefined,
      other: undefined,
    }
  }
  const action = (
    kind: string,
    machine: () => Promise<string>,
    what: string,
    body: unknown,
    other: unknown,
  ) => ({
    name: `${kind}/{id}/${what}`,
    prepare: async () => {
      const path = `/v1/${kind}/${await machine()}`
      if (what !== 'restore') return { path: `${path}/${what}`, body, other }
      // A machine that is put back is not put back again before it runs.
      const otherPath = `/v1/${kind}/${await machine()}`
      for (const each of [path, otherPath]) await makeReady(await make(`${each}/checkpoint`, {}))
      return { path: `${path}/${what}`, otherPath: `${otherPath}/${what}`, body, other }
    },
  })
  return [
    {
      name: 'snapshots',
      prepare: async () => {
        const environment = await startRunningMachine(client())
        const body = (memory: boolean) => ({ spec: { environment, memory } })
        return { path: '/v1/snapshots', body: body(false), other: body(true) }
      },
    },
    {
      name: 'snapshots/{id}/copies',
      prepare: async () => {
        const snapshotId = await make('/v1/snapshots', {
          spec: { environment: await startRunningMachine(client()) },
        })
        await sql().query(
          `UPDATE runners SET status = jsonb_set(status, '{facts,layerAddress}', '{"host":"a.example","port":1}')
           WHERE id = (SELECT runner_id FROM snapshot_holders WHERE snapshot_id = $1)`,
          [snapshotId],
        )
        await makeReady(snapshotId)
        const reader = async () => {
          const name = `r-${newId()}`.slice(0, 40)
          return {
            runner: (await client().runners.create({ name, labels: {}, spec: {} })).runner.metadata.id,
          }
        }
        const path = `/v1/snapshots/${snapshotId}/copies`
        return { path, body: await reader(), other: await reader() }
      },
    },
    action('claims', claimOfRunning, 'checkpoint', {}, { memory: false }),
    action('claims', claimOfRunning, 'restore', {}, { memory: false }),
    action('claims', claimOfRunning, 'fork', { count: 1 }, { count: 2 }),
    action('environments', () => startRunningMachine(client()), 'checkpoint', {}, { memory: false }),
    action('environments', () => startRunningMachine(client()), 'restore', {}, { memory: false }),
    { name: 'prebuilds', prepare: prebuild },
    { name: 'prebuilds/{id}/cancel', prepare: ofPrebuild('cancel') },
    { name: 'prebuilds/{id}/log-token', prepare: ofPrebuild('log-token') },
  ]
}
