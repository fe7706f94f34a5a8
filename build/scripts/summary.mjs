// summary.mjs DIR: adds up the results that the test stages left in DIR and prints them as one line.
// It fails when a stage left nothing behind, or when any test failed or was skipped.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const dir = process.argv[2];
const sum = { passed: 0, failed: 0, skipped: 0 };
let missing = false;

function load(name, count) {
  let text;
  try {
    text = readFileSync(join(dir, name), "utf8");
  } catch {
    console.log(`no results: ${name}`);
    missing = true;
    return;
  }
  const before = sum.passed;
  count(text);
  if (sum.passed === before) {
    console.log(`no test passed: ${name}`);
    missing = true;
  }
}

function go(text) {
  for (const line of text.split("\n")) {
    if (!line.startsWith("{")) continue;
    const e = JSON.parse(line);
    if (!e.Test) continue;
    if (e.Action === "pass") sum.passed++;
    if (e.Action === "fail") sum.failed++;
    if (e.Action === "skip") sum.skipped++;
  }
}

load("plain.json", go);
load("go.json", go);
load("unit.json", (text) => {
  const r = JSON.parse(text);
  sum.passed += r.numPassedTests;
  sum.failed += r.numFailedTests;
  sum.skipped += r.numPendingTests + r.numTodoTests;
});
load("e2e.json", (text) => {
  const { expected, unexpected, flaky, skipped } = JSON.parse(text).stats;
  sum.passed += expected;
  sum.failed += unexpected + flaky;
  sum.skipped += skipped;
});
load("window.json", go);

console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exit(missing || sum.failed > 0 || sum.skipped > 0 ? 1 : 0);
