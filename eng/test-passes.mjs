// Keeps when each test last passed: node test-passes.mjs FILE RESULTS SOURCES COMMIT CHANGED FAILED
// RESULTS is a folder of xunit v3's XML reports, one for each test program that came to its end. A test passed when all its cases did. What a program that crashed would have
// said is not known, so its tests keep what stood in FILE before; so does a pass of a test that fails now. FAILED is
// how many failures the launcher counted, those programs among them.
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [file, results, sources, commit, changed, counted] = process.argv.slice(2);

const before = () => {
  try {
    return JSON.parse(readFileSync(file, "utf8")).tests ?? {};
  } catch {
    return {};
  }
};

const plain = (text) => text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name) => ({ lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" })[name]);
const end = (at) => ({ at, commit: commit || null, changed: changed === "yes", sources: sources || null });

const ran = new Map();
let last = null;
let passed = 0;
let failed = 0;
for (const name of readdirSync(results).filter((each) => each.endsWith(".xml")).sort()) {
  for (const [, attributes] of readFileSync(join(results, name), "utf8").matchAll(/<test((?:\s+[\w-]+="[^"]*")+)\s*\/?>/g)) {
    const of = Object.fromEntries([...attributes.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key, value]) => [key, plain(value)]));
    const good = of.result === "Pass";
    const at = of["finish-rtf"];
    if (good) passed++;
    else failed++;
    if (!of.type || !of.method || !at) continue;
    const test = `${of.type}.${of.method}`;
    const known = ran.get(test);
    ran.set(test, { good: good && (known?.good ?? true), at: !known || Date.parse(at) > Date.parse(known.at) ? at : known.at });
    if (last === null || Date.parse(at) > Date.parse(last)) last = at;
  }
}
if (last === null) process.exit(0); // nothing ran: nothing is known that was not known before

failed = Math.max(failed, Number(counted) || 0);
const tests = before();
for (const program of readdirSync(results).map((name) => name.replace(/xml$/, "")))
  for (const test of Object.keys(tests)) if (test.startsWith(program) && !ran.has(test)) delete tests[test]; // renamed or gone
for (const [test, { good, at }] of ran)
  tests[test] = good ? { passed: end(at), failed: null } : { passed: tests[test]?.passed ?? null, failed: end(at) };
writeFileSync(`${file}.new`, JSON.stringify({ run: end(last), passed, failed, tests: Object.fromEntries(Object.entries(tests).sort(([a], [b]) => (a < b ? -1 : 1))) }, null, 1));
renameSync(`${file}.new`, file);
