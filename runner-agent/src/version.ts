/** The agent's version, from its package. */
export const agentVersion = '0.1.0'
