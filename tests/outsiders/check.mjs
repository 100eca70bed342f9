// Holds checkpoints and inclusion proofs of ours against npm's @sigstore/verify. Folders and answers as in check.go; of tiles it knows nothing, so entries are read here.
import { createPublicKey } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { createInterface } from "node:readline"

const require = createRequire(import.meta.url)
const { verifyCheckpoint } = require("./node_modules/@sigstore/verify/dist/tlog/checkpoint.js")
const { verifyMerkleInclusion } = require("./node_modules/@sigstore/verify/dist/tlog/merkle.js")
const spki = Buffer.from("302a300506032b6570032100", "hex") // RFC 8410: what stands before an Ed25519 key of 32 bytes

for await (const folder of createInterface({ input: process.stdin })) {
  try {
    check(folder)
    console.log("accepted")
  } catch (error) { console.log(`refused: ${String(error.message).replaceAll("\n", " ")}`) }
}

function check(folder) {
  const vkey = /^(.+?)\+([0-9a-f]{8})\+(.+)$/.exec(readFileSync(join(folder, "log.vkey"), "utf8").trim())
  const key = createPublicKey({ key: Buffer.concat([spki, Buffer.from(vkey[3], "base64").subarray(1)]), format: "der", type: "spki" })
  const logs = [{ logID: Buffer.from(vkey[2], "hex"), publicKey: key, baseURL: `https://${vkey[1]}` }]
  open(readFileSync(join(folder, "checkpoint"), "utf8"), logs, vkey[1])
  for (const name of readdirSync(folder).filter(name => name.endsWith(".tlog-proof"))) {
    const file = readFileSync(join(folder, name), "utf8")
    const split = file.indexOf("\n\n")
    const lines = file.slice(0, split).split("\n")
    if (lines[0] !== "c2sp.org/tlog-proof@v1") throw new Error("not a proof")
    const at = lines.findIndex(line => line.startsWith("index "))
    const logIndex = lines[at].slice("index ".length)
    const hashes = lines.slice(at + 1).map(line => Buffer.from(line, "base64"))
    const checkpoint = open(file.slice(split + 2), logs, vkey[1])
    verifyMerkleInclusion({ inclusionProof: { logIndex, hashes }, canonicalizedBody: entry(folder, Number(logIndex), Number(checkpoint.logSize)) }, checkpoint)
  }
}

function open(envelope, logs, origin) {
  const checkpoint = verifyCheckpoint({ inclusionProof: { checkpoint: { envelope } } }, logs)
  if (checkpoint.origin !== origin) throw new Error("the checkpoint is of another log")
  return checkpoint
}

function entry(folder, index, size) {
  const tile = Math.floor(index / 256)
  const path = String(tile).padStart(3, "0") // the logs of the tests have fewer than 1000 of them
  const full = join(folder, "tile/entries", path)
  const bundle = readFileSync(existsSync(full) ? full : `${full}.p/${size % 256}`)
  let start = 0
  for (let skip = index % 256; skip > 0; skip--) start += 2 + bundle.readUInt16BE(start)
  return bundle.subarray(start + 2, start + 2 + bundle.readUInt16BE(start))
}
