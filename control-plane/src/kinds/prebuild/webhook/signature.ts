import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** The git servers whose webhooks are understood. */
export type GitServer = 'github' | 'gitlab' | 'gitea'

/** What a request says of itself in its headers. */
export interface Delivery {
  server: GitServer
  event: string
  /** Names this delivery: the same in each repetition of it. null where the server gives it none. */
  id: string | null
  signature: string
}

type ReadHeader = (name: string) => string | undefined

/**
 * What a delivery says of itself; null where no known git server signed it. Gitea sends GitHub's headers as well as its
 * own, so that its own are looked for first.
 */
export function readDelivery(header: ReadHeader): Delivery | null {
  const gitea = header('X-Gitea-Signature')
  if (gitea !== undefined)
    return {
      server: 'gitea',
      event: header('X-Gitea-Event') ?? '',
      id: header('X-Gitea-Delivery') ?? null,
      signature: gitea,
    }
  const github = header('X-Hub-Signature-256')
  if (github !== undefined)
    return {
      server: 'github',
      event: header('X-GitHub-Event') ?? '',
      id: header('X-GitHub-Delivery') ?? null,
      signature: github,
    }
  const gitlab = header('X-Gitlab-Token')
  if (gitlab === undefined) return null
  return {
    server: 'gitlab',
    event: header('X-Gitlab-Event') ?? '',
    id: header('Idempotency-Key') ?? header('X-Gitlab-Webhook-UUID') ?? header('X-Gitlab-Event-UUID') ?? null,
    signature: gitlab,
  }
}

/**
 * Whether whoever sent these bytes knows the secret, in the same time wherever the signature differs. GitLab sends the
 * secret itself, the others sign the bytes with it.
 */
export function isSigned({ server, signature }: Delivery, secret: string, body: Buffer): boolean {
  const hash = () => createHmac('sha256', secret).update(body).digest('hex')
  switch (server) {
    case 'github':
      return isSame(signature, `sha256=${hash()}`)
    case 'gitea':
      return isSame(signature, hash())
    case 'gitlab':
      return isSame(signature, secret)
    default:
      return server satisfies never
  }
}

/** Compares digests, so that the time tells nothing of the lengths either. */
function isSame(given: string, right: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(right))
}
