// The guide works as it is written: its blocks are run one after another, as a reader would. And the package is whole.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort, newFolder, Server, Source, waitFor } from "./harness.mjs";

const checkout = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");
const guide = readFileSync(join(checkout, "docs/guides/express.md"), "utf8");
const blocks = (kind) =>
  [...guide.matchAll(/```(\w+)\n([^]*?)```/g)].filter((match) => match[1] === kind).map((match) => match[2]);

let server, folder, environment;
before(async () => {
  server = await Server.start();
  // folder/logbook is the checkout, folder/app the reader's app. Its packages are those that the tests lock: no registry is
  // asked here, so `npm` leaves them out, and installs the package of this folder alone.
  const root = newFolder();
  folder = join(root, "app");
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  symlinkSync(checkout, join(root, "logbook"));
  symlinkSync(join(checkout, "connectors/js/tests/guide/node_modules"), join(root, "node_modules"));
  const bin = join(root, "bin");
  mkdirSync(bin);
  symlinkSync(resolve(process.env.LOGBOOK_BIN), join(bin, "logbook"));
  const npm = spawnSync("which", ["npm"], { encoding: "utf8" }).stdout.trim();
  const script = `#!/bin/bash
case $1 in
  ci) ;; # tests/run has done it
  pack) exec ${npm} "$@" --ignore-scripts ;; # and this
  install) exec ${npm} install --offline --no-audit --no-fund "\${@: -1}" ;;
esac`;
  writeFileSync(join(bin, "npm"), script);
  chmodSync(join(bin, "npm"), 0o755);
  environment = { ...server.environment, PATH: `${bin}:${process.env.PATH}` };
});

function run(command) {
  const done = spawnSync("bash", ["-euc", command], { cwd: folder, env: environment, encoding: "utf8" });
  assert.equal(done.status, 0, done.stderr);
  return done.stdout;
}

/** Calls `use` while a program runs, which listens on a port. */
async function whileItRuns(command, port, use) {
  const child = spawn("bash", ["-euc", `exec ${command}`], {
    cwd: folder,
    env: { ...environment, PORT: port },
    stdio: "inherit",
  });
  const ended = once(child, "exit");
  try {
    await waitFor("the app", () =>
      fetch(`http://127.0.0.1:${port}`).then(
        () => true,
        () => false,
      ),
    );
    await use();
  } finally {
    child.kill("SIGTERM");
    await ended;
  }
}

test("the guide of Express", async () => {
  const [register, install, start, requests] = blocks("sh").map((text) =>
    text.replace("http://127.0.0.1:8080", server.url),
  );
  assert.ok(register.includes(server.url));
  const [app, tests] = blocks("js");
  writeFileSync(join(folder, "app.mjs"), app);
  writeFileSync(join(folder, "patients.test.mjs"), tests);
  run(install);
  // Its variables are those of the other terminals too.
  const lines = run(`${register}env`)
    .split("\n")
    .filter((line) => line.startsWith("LOGBOOK_"));
  Object.assign(environment, Object.fromEntries(lines.map((line) => line.split(/=(.*)/))));
  run("node --test");

  const port = String(await freePort());
  assert.ok(start.includes("PORT=3000 "));
  await whileItRuns(start.replace("PORT=3000 ", ""), port, async () => {
    assert.match(run(requests.replaceAll("3000", port)), /"dropped":0}$/);
    // Nobody is somebody whom every object has.
    const ask = async (path, { method = "POST", body = {}, ...headers }) =>
      (
        await fetch(`http://127.0.0.1:${port}${path}`, {
          method,
          headers: { "content-type": "application/json", ...headers },
          body: JSON.stringify(body),
        })
      ).status;
    for (const username of ["toString", "nobody"])
      assert.equal(await ask("/sign-in", { body: { username } }), 401);
    const agent = { "x-agent-key": "the key of the triage agent" };
    assert.equal(await ask("/triage/92", { ...agent, "x-person": "toString" }), 404);
    assert.equal(await ask("/triage/toString", { ...agent, "x-person": "asha" }), 404);
    assert.equal(
      await ask("/patients/toString", {
        method: "PATCH",
        body: { status: "open" },
        "x-session": "session-1",
      }),
      404,
    );
  });

  const arrived = new Source(server, "ward-web", "");
  const [failed, asha, ben, ...nobody] = await arrived.log("access");
  assert.deepEqual(
    nobody.map((event) => [event.event_type, event.username]),
    [
      ["login_failed", "toString"],
      ["login_failed", "nobody"],
    ],
  );
  assert.deepEqual([failed.event_type, failed.status, failed.username], ["login_failed", "failure", "asha"]);
  assert.deepEqual(
    [asha.user.name, asha.session_id, asha.ip_address],
    ["Asha Rao", "session-1", "127.0.0.1"],
  );
  assert.match(ben.user_agent, /^curl/);
  const [change, denied, agent] = await arrived.log("application");
  assert.deepEqual(
    [change.actor.name, change.role, change.changes[0].old, change.changes[0].new],
    ["Asha Rao", "Nurse", "open", "closed"],
  );
  assert.deepEqual(
    [denied.status, denied.actor.name, denied.status_reason],
    ["denied", "Ben Kim", "only nurses may change patients"],
  );
  assert.deepEqual(
    [agent.actor.type, agent.on_behalf_of.name, agent.purpose],
    ["agent", "Asha Rao", "INC-4711"],
  );
  const correlations = new Set(
    [failed, asha, ben, change, denied, agent].map((event) => event.correlation_id),
  );
  assert.ok(correlations.size === 6 && !correlations.has(null));
  assert.deepEqual((await arrived.state()).gaps, []);
});

test("the guide of NestJS", async () => {
  const [main] = blocks("ts");
  const [tsconfig] = blocks("json");
  writeFileSync(join(folder, "main.ts"), main);
  writeFileSync(join(folder, "tsconfig.json"), tsconfig);
  run(
    `${checkout}/connectors/js/node_modules/.bin/tsc --typeRoots ${checkout}/connectors/js/node_modules/@types`,
  );
  const source = await server.newSource();
  environment = { ...environment, ...source.environment, PATH: environment.PATH };
  const port = String(await freePort());
  await whileItRuns("node dist/main.js", port, async () => {
    const headers = { "x-role": "Nurse", "x-request-id": "r1" };
    const url = `http://127.0.0.1:${port}/patients/92`;
    assert.equal((await fetch(`${url}/close`, { method: "PATCH", headers })).status, 200);
    assert.equal((await fetch(`${url}/notes`, { headers })).status, 403);
    assert.equal((await fetch(`${url}/notes`)).status, 403);
    await waitFor("the events", async () => (await source.ids()).length === 2);
  });
  const [change, denied] = await source.log("application");
  for (const { actor, role, correlation_id, ip_address } of [change, denied]) {
    assert.deepEqual(
      [actor.name, role, correlation_id, ip_address],
      ["Asha Rao", "Nurse", "r1", "127.0.0.1"],
    );
  }
  assert.deepEqual([change.status, denied.status, change.changes[0].new], ["success", "denied", "closed"]);
});

test("the package has what it needs and nothing else", () => {
  const done = spawnSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: join(checkout, "connectors/js"),
    encoding: "utf8",
  });
  const files = JSON.parse(done.stdout)[0].files.map(({ path }) => path);
  const strange = files.filter(
    (path) => !/^dist\/\w+(\.d)?\.[jt]s$|^(README\.md|package\.json|LICENSE-\w+)$/.test(path),
  );
  assert.deepEqual(strange, []);
  for (const path of ["dist/index.js", "dist/index.d.ts", "dist/testing.js", "dist/testing.d.ts"])
    assert.ok(files.includes(path), path);
  const { dependencies } = JSON.parse(readFileSync(join(checkout, "connectors/js/package.json"), "utf8"));
  assert.equal(dependencies, undefined);
});
