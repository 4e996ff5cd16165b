"""Android's Keystore: wraps a store's data key with a key that never leaves the phone's hardware.

AES-256-GCM by javax.crypto. What is wrapped is the Keystore's own nonce (12 bytes) and the rest.
"""

from __future__ import annotations

from typing import Any

from jnius import JavaException, autoclass

ALIAS = "gridledger"
STORE = "AndroidKeyStore"
NONCE, TAG_BITS = 12, 128
ENCRYPT, DECRYPT = 1, 2  # javax.crypto.Cipher.ENCRYPT_MODE, DECRYPT_MODE
PURPOSES = 1 | 2  # KeyProperties.PURPOSE_ENCRYPT | PURPOSE_DECRYPT


class KeystoreKeeper:
    """`mobile.storage.vault.Keeper`. The key is made when it is first needed."""

    name = "keystore"

    def wrap(self, key: bytes) -> bytes:
        """The key, unreadable without this phone."""
        cipher = self._cipher()
        cipher.init(ENCRYPT, self._key(make=True))
        sealed = _bytes(cipher.doFinal(key))
        return _bytes(cipher.getIV()) + sealed

    def unwrap(self, wrapped: bytes) -> bytes:
        """The key again. Raises ValueError where another phone, or another install, wrapped it."""
        spec = autoclass("javax.crypto.spec.GCMParameterSpec")(TAG_BITS, wrapped[:NONCE])
        cipher = self._cipher()
        try:
            cipher.init(DECRYPT, self._key(make=False), spec)
            return _bytes(cipher.doFinal(wrapped[NONCE:]))
        except JavaException as error:
            raise ValueError(f"the Keystore refuses: {error}") from None

    def _cipher(self) -> Any:
        return autoclass("javax.crypto.Cipher").getInstance("AES/GCM/NoPadding")

    def _key(self, make: bool) -> Any:
        store = autoclass("java.security.KeyStore").getInstance(STORE)
        store.load(None)
        key = store.getKey(ALIAS, None)
        if key is not None:
            return key
        if not make:
            raise ValueError("the Keystore has no key of this app")
        generator = autoclass("javax.crypto.KeyGenerator").getInstance("AES", STORE)
        builder = autoclass("android.security.keystore.KeyGenParameterSpec$Builder")
        spec = builder(ALIAS, PURPOSES)
        spec = spec.setBlockModes("GCM").setEncryptionPaddings("NoPadding").setKeySize(256)
        generator.init(spec.build())
        return generator.generateKey()


def _bytes(array: Any) -> bytes:
    """A Java byte[], which pyjnius gives as signed numbers."""
    return bytes(number & 0xFF for number in array)
