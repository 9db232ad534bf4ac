import { newId } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import type pg from 'pg'
import type { Service } from './service.ts'

const poolSize = 50

/**
 * Pools of 50 ready machines each, enough for `machines` claims. The machines are rows only: a claim touches no guest,
 * and building thousands would measure the building.
 */
export async function seedPools(service: Service, pool: pg.Pool, machines: number): Promise<string[]> {
  const { client } = service
  const { runner } = await client.runners.create({ name: 'bench', labels: {}, spec: {} })
  const projects = Array.from({ length: Math.ceil(machines / poolSize) }, (_, index) => `bench-${index}`)
  // The runner is made active and full, so that refilling the pool is decided but has to wait.
  const facts = {
    virtualization: 'synthetic',
    virtualCpus: 1_000_000,
    memoryMebibytes: 1,
    diskGibibytes: 1,
    images: ['debian-12'],
    agentVersion: 'bench',
    sealingKey: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  }
  await pool.query(
    `UPDATE runners SET phase = 'active', epoch = 1, last_seen_at = now() + interval '1 hour',
       status = jsonb_set(status, '{facts}', $2::jsonb) WHERE id = $1`,
    [runner.metadata.id, JSON.stringify(facts)],
  )
  for (const name of projects) {
    const result = await client.apply({
      apiVersion: 'hearth/v1',
      name,
      repositories: [{ url: 'https://git.example/team/shop.git' }],
      setup: ['make dependencies'],
      warmPools: [{ environmentClass: 'small', min: poolSize }],
    })
    await seedMembers(pool, result.warmPools[0]?.id ?? '', runner.metadata.id)
  }
  await settled(pool)
  await pool.query('ANALYZE')
  return projects
}

/** Waits until everything seeded has been reconciled and published. */
async function settled(pool: pg.Pool): Promise<void> {
  await eventually(
    async () => {
      const { rows } = await pool.query<{ left: string }>(
        `SELECT (SELECT count(*) FROM graphile_worker.jobs WHERE run_at <= now())
           + (SELECT count(*) FROM outbox)
           + (SELECT count(*) FROM events WHERE position IS NULL)
           + (SELECT count(*) FROM events WHERE position > (SELECT position FROM event_publication)) AS left`,
      )
      return Number(rows[0]?.left) === 0
    },
    { timeoutMilliseconds: 120_000 },
  )
}

/** Makes the machines that the pool ordered look as they do when they are ready. */
async function seedMembers(pool: pg.Pool, warmPoolId: string, runnerId: string): Promise<void> {
  for (;;) {
    const { rows } = await pool.query<{ count: string }>(
      'SELECT count(*) FROM environments WHERE owner_id = $1',
      [warmPoolId],
    )
    if (Number(rows[0]?.count) >= poolSize) break
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const address = { host: '127.0.0.1', port: 20_000, user: 'root', hostKey: `ssh-ed25519 ${newId()}` }
  const names = [
    'create_vm',
    'ensure_server',
    'set_env_vars',
    'clone_repo',
    'init_repo',
    'project_setup',
    'repo_setup',
  ]
  const steps = names.map((name) => ({
    name,
    repository: null,
    phase: 'succeeded',
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:00:01.000Z',
    durationMilliseconds: 1000,
    exitCode: 0,
    output: 'done\n',
    outputBytes: 5,
    error: null,
  }))
  const status = JSON.stringify({ address, steps, readyAt: '2026-01-01T00:00:01.000Z' })
  // In the order of placement, since the control plane is about to lock them in that order.
  await pool.query(
    `WITH members AS (SELECT id FROM environments WHERE owner_id = $1 ORDER BY id FOR UPDATE)
     UPDATE environments SET phase = 'running', runner_id = $2, deadline = NULL, status = status || $3::jsonb
     FROM members WHERE environments.id = members.id`,
    [warmPoolId, runnerId, status],
  )
}
