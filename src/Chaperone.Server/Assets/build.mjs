// Installs the packages when the lock file changed and bundles scripts, styles, fonts and icons into ../wwwroot/dist, under names that
// carry the hash of what is in them, with manifest.json (plain name -> served name). Safe to start twice at once: the second waits.
import { createHash } from "node:crypto"
import { execFileSync } from "node:child_process"
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync, writeSync } from "node:fs"
import { basename, dirname, extname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { brotliCompressSync, constants, gzipSync } from "node:zlib"

const here = dirname(fileURLToPath(import.meta.url))
const dist = join(here, "../wwwroot/dist")
const fresh = `${dist}.new`
const modules = join(here, "node_modules")
const manifestPath = join(dist, "manifest.json")

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest("hex")
const filesUnder = folder => readdirSync(folder, { withFileTypes: true })
  .flatMap(entry => entry.isDirectory() ? filesUnder(join(folder, entry.name)) : [join(folder, entry.name)]).sort()

function inputsHash() {
  const files = ["package.json", "package-lock.json", "icons.json", "tsconfig.json", "build.mjs"].map(name => join(here, name))
    .concat(filesUnder(join(here, "scripts")), filesUnder(join(here, "styles")), filesUnder(join(here, "static")))
  return sha256(...files.flatMap(file => [relative(here, file), "\0", readFileSync(file), "\0"]))
}

// One build at a time: the lock is a file with our process id, and one whose process is gone is nobody's.
async function alone(work) {
  const lock = join(here, ".build.lock")
  for (let waited = 0; ; waited++) {
    try {
      const file = openSync(lock, "wx")
      writeSync(file, String(process.pid))
      closeSync(file)
      break
    } catch (error) {
      if (error.code !== "EEXIST") throw error
      if (waited > 600) throw new Error(`${lock} is still held after five minutes; delete it if no build is running`)
      if (ownerIsGone(lock)) rmSync(lock, { force: true })
      else await new Promise(resolve => setTimeout(resolve, 500))
    }
  }
  try { return await work() } finally { rmSync(lock, { force: true }) }
}

function ownerIsGone(lock) {
  try {
    const owner = Number(readFileSync(lock, "utf8"))
    if (owner === 0) return Date.now() - statSync(lock).mtimeMs > 10_000
    process.kill(owner, 0)
    return false
  } catch (error) { return error.code === "ESRCH" }
}

function install() {
  const stamp = join(modules, ".chaperone-lock")
  const wanted = sha256(readFileSync(join(here, "package-lock.json")))
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return
  const npm = process.platform === "win32" ? "npm.cmd" : "npm"
  // Packages bring their binaries as packages; no install script needs to run.
  execFileSync(npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
    { cwd: here, stdio: ["ignore", "ignore", "inherit"], shell: process.platform === "win32" })
  writeFileSync(stamp, wanted)
}

function sprite() {
  const names = JSON.parse(readFileSync(join(here, "icons.json"), "utf8"))
  const symbols = names.map(name => {
    const source = readFileSync(join(modules, "@tabler/icons/icons/outline", `${name}.svg`), "utf8")
    const shapes = source.slice(source.indexOf(">") + 1, source.lastIndexOf("</svg>")).replaceAll(/<path stroke="none" d="M0 0h24v24H0z" fill="none" \/>/g, "")
    return `<symbol id="${name}" viewBox="0 0 24 24">${shapes.replaceAll(/\s*\n\s*/g, "")}</symbol>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("\n")}</svg>\n`
}

function licences() {
  const lock = JSON.parse(readFileSync(join(here, "package-lock.json"), "utf8"))
  return Object.entries(lock.packages).filter(([path, of]) => path && !of.dev && !of.optional).map(([path, of]) => {
    const folder = join(here, path)
    const text = readdirSync(folder).find(name => /^(licen[cs]e|copying)/i.test(name))
    return `${path.replace("node_modules/", "")} ${of.version} (${of.license})\n\n${text ? readFileSync(join(folder, text), "utf8").trim() : ""}\n`
  }).join(`\n${"-".repeat(80)}\n\n`)
}

function put(manifest, name, contents) {
  const served = `${basename(name, extname(name))}-${sha256(contents).slice(0, 10)}${extname(name)}`
  writeFileSync(join(fresh, served), contents)
  manifest[name] = served
}

async function build(hash) {
  const { build } = await import("esbuild")
  execFileSync(process.execPath, [join(modules, "typescript/bin/tsc"), "-p", here], { stdio: "inherit" })
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { recursive: true })
  const result = await build({
    absWorkingDir: here, outdir: fresh, bundle: true, minify: true, metafile: true, target: ["es2022", "chrome120", "firefox121", "safari17"],
    entryPoints: ["scripts/app.ts", "scripts/theme.ts", "styles/app.css"], entryNames: "[name]-[hash]", assetNames: "[name]-[hash]",
    loader: { ".woff2": "file" }, format: "iife", legalComments: "none", logLevel: "warning"
  })
  const manifest = {}
  for (const [path, output] of Object.entries(result.metafile.outputs)) {
    const plain = output.entryPoint ? basename(output.entryPoint).replace(/\.ts$/, ".js") : basename(path).replace(/-[A-Z0-9]{8}(?=\.)/, "")
    manifest[plain] = basename(path)
  }
  put(manifest, "sprite.svg", sprite())
  put(manifest, "licences.txt", licences())
  for (const file of filesUnder(join(here, "static"))) put(manifest, basename(file), readFileSync(file))
  for (const name of Object.values(manifest).filter(name => /\.(js|css|svg|txt)$/.test(name))) {
    const contents = readFileSync(join(fresh, name))
    writeFileSync(join(fresh, `${name}.gz`), gzipSync(contents, { level: 9 }))
    writeFileSync(join(fresh, `${name}.br`), brotliCompressSync(contents, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }))
  }
  writeFileSync(join(fresh, "manifest.json"), `${JSON.stringify({ inputs: hash, files: manifest }, null, 2)}\n`)
  rmSync(dist, { recursive: true, force: true })
  renameSync(fresh, dist)
}

await alone(async () => {
  const hash = inputsHash()
  install()
  if (existsSync(manifestPath) && JSON.parse(readFileSync(manifestPath, "utf8")).inputs === hash) {
    const now = new Date()
    utimesSync(manifestPath, now, now)
    return
  }
  await build(hash)
})
