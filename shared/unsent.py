"""The file of unsent work: a ZIP that anybody may carry and only the server can read.

    README.txt          what this is and what to do with it, in the open: no name, no content
    sealed.json         {"v", "for", "key"}: the name of the server's key, the file's own public
                        key (base64)
    work.sealed         JSON, see `WORK`
    photos/<sha256>     one each

What is sealed is a nonce of 12 bytes and AES-256-GCM, with the member's name as associated data,
under HKDF-SHA256 (no salt, `INFO`) of X25519 between the file's key and the server's.
"""

from __future__ import annotations

import hashlib

VERSION = 1
INFO = b"gridledger unsent work 1"
README, SEALED, WORK_FILE, PHOTOS = "README.txt", "sealed.json", "work.sealed", "photos/"
NONCE = 12

# The members of what is sealed in work.sealed. Lines are those of a push; titles say what each is.
# Drafts are what was begun and not saved: {"key", "kept_at", "values", "photos": [sha256]}; their
# photos lie beside the others and are not among "photos".
WORK = ("v", "device_id", "token", "person", "server", "made_at", "lines", "titles", "photos",
        "feedback", "drafts")  # fmt: skip


def key_name(public: bytes) -> str:
    """By what a server's key is known in a file."""
    return hashlib.sha256(public).hexdigest()[:16]
