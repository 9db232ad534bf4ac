import { expect, test } from 'vitest'
import type { CommandResult, CommandRunner } from '../command/command-runner.ts'
import { LocalCommandRunner } from '../command/local.ts'
import { parseLocalPorts } from './network/ports.ts'
import { Virsh } from './virsh.ts'

/** Answers like virsh, with the given output for each command; an unknown command fails. */
function fakeVirsh(prints: (command: string) => string | null, seen: string[][] = []): CommandRunner {
  const runner: CommandRunner = new LocalCommandRunner()
  runner.run = async (command): Promise<CommandResult> => {
    seen.push([...command])
    const outputs = (command.at(-1) ?? '').split('; ').map((each) => {
      if (each.startsWith('echo ')) return `${each.slice('echo '.length)}`
      const printed = prints(each)
      return printed === null ? '' : `${printed}\n`
    })
    return { exitCode: 0, stdout: outputs.join(''), stderr: '' }
  }
  return runner
}

test('many commands give an output each, in order, and none where one failed, in arguments short enough', async () => {
  const seen: string[][] = []
  const runner = fakeVirsh((command) => (command.endsWith('7') ? null : `of ${command}`), seen)
  const commands = Array.from({ length: 1_000 }, (_, index) => `domstate --reason hearth-${index}`)
  const outputs = await new Virsh(runner, 'test:///default').batch(commands)
  expect(outputs).toEqual(commands.map((command) => (command.endsWith('7') ? '' : `of ${command}`)))
  for (const command of seen) expect(Math.max(...command.map((word) => word.length))).toBeLessThan(128 * 1024)
})

test('a machine whose state cannot be read is an error, and not absent', async () => {
  const runner = fakeVirsh(() => '')
  const answered = runner.run
  const answer = (stderr: string) => {
    runner.run = async (command) => ({ ...(await answered(command)), stderr })
    return new Virsh(runner, 'qemu:///system').batch(['domstate --reason hearth-1'])
  }
  await expect(
    answer('error: Timed out during operation: cannot acquire state change lock\n'),
  ).rejects.toThrow('cannot acquire state change lock')
  await expect(answer("error: failed to get domain 'hearth-1'\n")).resolves.toEqual([''])
  await expect(
    answer('error: metadata not found: Requested metadata element is not present\n'),
  ).resolves.toEqual([''])
})

test('a libvirt that does not answer is an error, not an empty host', async () => {
  const runner = fakeVirsh(() => '')
  runner.run = async () => ({
    exitCode: 1,
    stdout: '',
    stderr: 'error: failed to connect to the hypervisor\n',
  })
  const virsh = new Virsh(runner, 'qemu:///system')
  await expect(virsh.batch(['list'])).rejects.toThrow('failed to connect to the hypervisor')
  await expect(virsh.run('list')).rejects.toThrow('virsh list: failed to connect')
})

test('the ports in the kernel’s table', () => {
  const table = `  sl  local_address rem_address   st
   0: 0100007F:4E21 00000000:0000 0A 00000000:00000000 00:00000000
   1: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A`
  expect(parseLocalPorts(table)).toEqual([20_001, 8_080])
  expect(parseLocalPorts(table, '01')).toEqual([])
  expect(parseLocalPorts(`${table}\n`)).toHaveLength(2)
})

test.each([
  ['an empty table', ''],
  ['a line that is cut', '  sl  local_address rem_address   st\n   0: 0100007F:4E'],
  ['words', '  sl  local_address rem_address   st\nno such thing'],
])('%s of ports is an error, and no port is taken for free', (_, table) => {
  expect(() => parseLocalPorts(table)).toThrow('ports in use')
})
