/**
 * TLS by a pre-shared key: the key of one grant proves both sides, so that no certificate is needed. The exchange is
 * ephemeral: whoever learns the key later cannot read what was copied.
 */
export const preSharedKeyTls = {
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
  // Node knows pre-shared keys up to this version.
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
} as const

/** Bytes of a layer's file in one answer. */
export const mostPieceBytes = 4 * 1024 ** 2
