import { createPrivateKey, createPublicKey } from 'node:crypto'
import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { generateSealingKeyPair, type SealingKeyPair } from '@hearth/foundation'
import ssh2 from 'ssh2'
import { LocalCommandRunner } from '../host/command/local.ts'
import { generateSecureShellKeyPair, type SecureShellKeyPair } from '../secure-shell/host-key.ts'

export interface AgentKeys {
  /** SSH key pair that the agent logs in to guests with. */
  secureShell: SecureShellKeyPair
  /** Key pair that secrets for this runner are sealed to. */
  sealing: SealingKeyPair
}

/** Reads the agent's keys from its state folder; missing keys are created (mode 0600). */
export async function loadKeys(stateFolder: string): Promise<AgentKeys> {
  const files = new LocalCommandRunner()
  await mkdir(stateFolder, { recursive: true, mode: 0o711 })
  const keep = async (name: string, make: () => string) => {
    const path = join(stateFolder, name)
    const kept = await files.readFile(path)
    if (kept !== null) {
      await chmod(path, 0o600)
      return kept.toString('utf8')
    }
    const made = make()
    await files.writeFile(path, made, 0o600)
    return made
  }
  const secureShellKey = await keep('ssh_key', () => generateSecureShellKeyPair('hearth-agent').privateKey)
  const sealingKey = await keep('sealing_key', () => generateSealingKeyPair().privateKey)
  return {
    secureShell: { privateKey: secureShellKey, publicKey: publicLine(secureShellKey) },
    sealing: { privateKey: sealingKey, publicKey: rawPublicKey(sealingKey) },
  }
}

function publicLine(privateKey: string): string {
  const parsed = ssh2.utils.parseKey(privateKey)
  if (parsed instanceof Error) throw parsed
  return `${parsed.type} ${parsed.getPublicSSH().toString('base64')} hearth-agent`
}

/** The last 32 bytes of an X25519 key's SubjectPublicKeyInfo are the key itself. */
function rawPublicKey(privateKey: string): string {
  const spki = createPublicKey(createPrivateKey(privateKey)).export({ type: 'spki', format: 'der' })
  return spki.subarray(-32).toString('base64')
}
