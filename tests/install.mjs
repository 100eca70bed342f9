// node install.mjs FOLDER: installs the folder's packages when its lock file changed. Safe to start twice at once: the second finds a folder that is being made, and waits.
import { createHash } from "node:crypto"
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"

const here = resolve(process.argv[2])
const stamp = join(here, "node_modules/.chaperone-lock")
const lock = join(here, ".install-lock")
const wanted = createHash("sha256").update(readFileSync(join(here, "package-lock.json"))).digest("hex")
const isThere = () => existsSync(stamp) && readFileSync(stamp, "utf8") === wanted

for (let waited = 0; !isThere(); waited++) {
  try { mkdirSync(lock) } catch {
    if (waited > 240 || (existsSync(lock) && Date.now() - statSync(lock).mtimeMs > 120_000)) { try { rmdirSync(lock) } catch { /* the other one did */ } }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
    continue
  }
  try {
    if (isThere()) break
    execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: here, stdio: ["ignore", "ignore", "inherit"] })
    writeFileSync(stamp, wanted)
  } finally { rmdirSync(lock) }
}
