#!/usr/bin/env python3
"""Writes independent_log beside this file: 300 entries of arbitrary content, by naive recursion over RFC 6962 and the text of C2SP tlog-tiles,
signed by the openssl command with the key of RFC 8032's test 1. It shares no code with src/, which is its point."""
import base64, hashlib, os, struct, subprocess, tempfile

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "independent_log")
seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
name = "example.org/independent"
sha = lambda data: hashlib.sha256(data).digest()
entries = [b"entry %d " % i + bytes([i % 256]) * (i % 41) for i in range(300)]
leaves = [sha(b"\0" + entry) for entry in entries]

def root(hashes):
    if len(hashes) == 1: return hashes[0]
    k = 1
    while k * 2 < len(hashes): k *= 2
    return sha(b"\1" + root(hashes[:k]) + root(hashes[k:]))

def put(path, data):
    path = os.path.join(here, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "wb").write(data)

bundle = lambda part: b"".join(struct.pack(">H", len(e)) + e for e in part)
put("tile/0/000", b"".join(leaves[:256]))
put("tile/0/001.p/44", b"".join(leaves[256:]))
put("tile/1/000.p/1", root(leaves[:256]))
put("tile/entries/000", bundle(entries[:256]))
put("tile/entries/001.p/44", bundle(entries[256:]))

def signed(size):
    text = f"{name}\n{size}\n{base64.b64encode(root(leaves[:size])).decode()}\n"
    with tempfile.TemporaryDirectory() as t:
        open(t + "/key", "wb").write(bytes.fromhex("302e020100300506032b657004220420") + seed)
        open(t + "/text", "w").write(text)
        subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", t + "/key", "-keyform", "DER", "-in", t + "/text", "-out", t + "/sig"], check=True)
        signature = open(t + "/sig", "rb").read()
    line = base64.b64encode(keyid + signature).decode()
    return f"{text}\n\u2014 {name} {line}\n".encode()

keyid = sha(name.encode() + b"\n\1" + public)[:4]
put("checkpoint", signed(300))
put("../independent_log.older", signed(123))
put("../independent_log.vkey", f"{name}+{keyid.hex()}+{base64.b64encode(b'%c' % 1 + public).decode()}\n".encode())
