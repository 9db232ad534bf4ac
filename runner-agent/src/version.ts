/** The agent's own version, as its package states it. */
export const agentVersion = '0.1.0'
