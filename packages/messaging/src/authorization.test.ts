import { subjects } from '@hearth/contract'
import { type Account, Algorithms, decode, encodeAccount, fromSeed } from '@nats-io/jwt'
import { expect, test } from 'vitest'
import { completeNatsOperator, generateNatsOperator, type NatsOperator } from './authorization.ts'

const claimsOf = (jwt: string) => decode<Account>(jwt)
const isOfCalls = ({ subject }: { subject?: string }) => subject === subjects.allCalls

/** The same keys as a version had made them that knew no calls. */
async function withoutCalls(operator: NatsOperator): Promise<NatsOperator> {
  const signer = fromSeed(new TextEncoder().encode(operator.operatorSeed))
  const older = async (jwt: string) => {
    const { name, sub, nats } = claimsOf(jwt)
    const claims = {
      limits: nats.limits,
      imports: nats.imports?.filter((each) => !isOfCalls(each)) ?? [],
      exports: nats.exports?.filter((each) => !isOfCalls(each)) ?? [],
    }
    return encodeAccount(name, sub, claims, { algorithm: Algorithms.v2, signer })
  }
  return {
    ...operator,
    accountJwt: await older(operator.accountJwt),
    runnerAccountJwt: await older(operator.runnerAccountJwt),
  }
}

test('keys that an older version made are given what calls need, once, and stay the same keys', async () => {
  const operator = await generateNatsOperator()
  const older = await withoutCalls(operator)
  expect(claimsOf(older.runnerAccountJwt).nats.exports).toEqual([])
  const { accountJwt, runnerAccountJwt, ...rest } = await completeNatsOperator(older)
  for (const [made, wanted] of [
    [accountJwt, operator.accountJwt],
    [runnerAccountJwt, operator.runnerAccountJwt],
  ] as const) {
    const { sub, name, nats } = claimsOf(made)
    expect({ sub, name, nats }).toEqual({
      sub: claimsOf(wanted).sub,
      name: claimsOf(wanted).name,
      nats: claimsOf(wanted).nats,
    })
  }
  expect(rest).toEqual({ ...operator, accountJwt: undefined, runnerAccountJwt: undefined })
  const completed = { accountJwt, runnerAccountJwt, ...rest }
  expect(await completeNatsOperator(completed)).toBe(completed)
})
