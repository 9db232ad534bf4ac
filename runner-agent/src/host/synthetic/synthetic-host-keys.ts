import { generateSecureShellKeyPair } from '../../secure-shell/host-key.ts'

const most = 8

/** Host keys of machines: real ones, but a few are shared by all, since making one takes long. */
export class SyntheticHostKeys {
  private readonly keys: string[] = []

  constructor(private readonly random: () => number) {}

  next(): string {
    if (this.keys.length < most) this.keys.push(generateSecureShellKeyPair('synthetic').publicKey)
    return this.keys[Math.floor(this.random() * this.keys.length)] ?? this.keys[0] ?? ''
  }
}
