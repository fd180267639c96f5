// deploy/github-action/main.ts
import { appendFileSync, readFileSync } from "node:fs";

// src/cli/address.ts
function wrongAddress(text) {
  if (isHttp(text)) return null;
  const meant = `http://${text}`;
  const hint = !text.includes("://") && isHttp(meant) ? `; ${meant} is meant, perhaps` : "";
  return `the address of the service (--server, HEADGATE_SERVER) is a URL such as http://127.0.0.1:8080, not "${text}"${hint}`;
}
var isHttp = (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

// src/cli/again.ts
import { setTimeout as delay } from "node:timers/promises";

// src/lib/backoff.ts
function backoffMs(backoff, attempt, random) {
  const ceiling = Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(30, Math.max(0, attempt - 1)));
  return Math.round(ceiling / 2 + ceiling / 2 * random);
}

// src/cli/output.ts
function printer({ out, err: err2 }, isLog) {
  let last = "";
  let drawn = false;
  const isDrawn = err2.isTTY && !isLog;
  const end = () => {
    if (drawn) err2.write("\n");
    drawn = false;
  };
  return {
    data(text) {
      end();
      out.write(`${text}
`);
    },
    note(text) {
      end();
      err2.write(`${text}
`);
    },
    progress(release) {
      const line = progressLine(release);
      const news = newsOf(release);
      if (isDrawn) {
        err2.write(`\r\x1B[2K${line.slice(0, Math.max(40, (err2.columns ?? 120) - 1))}`);
        drawn = true;
      } else if (news !== last) err2.write(`${line}
`);
      last = news;
    },
    last(release) {
      err2.write(`${isDrawn ? "\r\x1B[2K" : ""}${progressLine(release)}
`);
      drawn = false;
    },
    done: end
  };
}
var newsOf = ({ phase, step, wantedBp, checks, hold, unverified, quarantined }) => JSON.stringify([
  [phase.kind, phase["anew"], step, wantedBp, hold?.detail, unverified, quarantined],
  Object.entries(checks).map(([name, { verdict }]) => [name, verdict])
]);
function progressLine({ service, stableVersion, version, step, steps, wantedBp, checks, sentence }) {
  const verdicts = Object.entries(checks).map(([name, { verdict }]) => `${name} ${verdict === "pass" ? "ok" : verdict}`);
  return `${service} ${stableVersion ?? "-"} -> ${version}   step ${step}/${steps}  ${(wantedBp / 100).toFixed(2)} % wanted   ${verdicts.join("  ")}   ${sentence}`;
}
function errorText(error) {
  if (error.kind !== "refused") return error.detail;
  const { detail, errors = [] } = error.problem;
  return [
    detail,
    ...errors.map((each) => `  ${each.line === null ? each.pointer : `${each.line}:${each.column ?? 1}`} ${each.detail}`)
  ].join("\n");
}

// src/cli/again.ts
var RETRY = { firstMs: 250, maxMs: 5e3 };
var pauseOf = (error, failures) => Math.max(backoffMs(RETRY, failures, 0.5), error.kind === "refused" ? error.retryAfterMs ?? 0 : 0);
async function again(ask, { ms, note }) {
  const endMs = performance.now() + ms;
  for (let failures = 1; ; failures++) {
    const answer = await ask();
    if (answer.ok) return answer;
    const pauseMs = pauseOf(answer.error, failures);
    if (!mayPass(answer.error) || endMs <= performance.now() + pauseMs) return answer;
    if (failures === 1) note(`${errorText(answer.error)}; trying again`);
    await delay(pauseMs);
  }
}
var TOO_MANY = 429;
var IN_FLIGHT = "urn:headgate:problem:in-flight";
var mayPass = (error) => error.kind === "unreachable" || error.status >= 500 || error.status === TOO_MANY || error.kind === "refused" && error.problem.type === IN_FLIGHT;

// src/contract/until.ts
var UNTIL_SHAPE = "terminal, promoted, paused or step:N";
function untilOf(text) {
  if (text === "terminal" || text === "promoted" || text === "paused") return { kind: text };
  const step = /^step:([1-9]\d{0,2})$/.exec(text)?.[1];
  return step === void 0 ? null : { kind: "step", step: Number(step) };
}

// src/lib/result.ts
var ok = (value) => ({ ok: true, value });
var err = (error) => ({ ok: false, error });

// src/cli/beyond.ts
async function beyondPlan(api, { asked, until: until2 }, patience) {
  const awaited = untilOf(until2);
  if (awaited?.kind !== "step") return ok(null);
  const trial = await again(() => api.tryStart(asked), patience);
  if (!trial.ok) return trial.error.kind === "refused" ? ok(null) : trial;
  const { steps } = trial.value;
  return ok(steps < awaited.step ? `there is no step ${awaited.step} to wait for: the plan has ${steps}` : null);
}

// src/cli/identity.ts
var fixedIdentity = (token) => ({ token: async () => token, renew: async () => false });
function githubIdentity(env2, audience, fetch2) {
  const url = env2["ACTIONS_ID_TOKEN_REQUEST_URL"];
  const bearer = env2["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
  if (!url || !bearer) return null;
  let known = null;
  const ask = async () => {
    const answer = await fetch2(`${url}${url.includes("?") ? "&" : "?"}audience=${encodeURIComponent(audience)}`, {
      headers: { authorization: `Bearer ${bearer}`, accept: "application/json" },
      signal: AbortSignal.timeout(1e4)
    });
    const body = answer.ok ? await answer.json() : null;
    return typeof body === "object" && body !== null && "value" in body && typeof body.value === "string" ? body.value : null;
  };
  return {
    token: async () => known ??= await ask(),
    async renew() {
      const before = known;
      known = await ask().catch(() => null);
      return known !== null && known !== before;
    }
  };
}

// src/cli/transport.ts
var ANSWER_MS = 12e4;
var RIGHT = "--server or HEADGATE_SERVER says where the service is, such as http://127.0.0.1:8080";
var sayable = (name) => name.replaceAll(/[^ -~\u00a1-\u00ff]/g, "?");
function transport({ server, actor, token, fetch: fetch2, identity = fixedIdentity(token) }) {
  const base = server.replace(/\/+$/, "");
  const away = (error) => {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const detail = cause instanceof Error ? "code" in cause ? String(cause.code) : cause.message : String(cause);
    return { kind: "unreachable", detail: `${base} cannot be reached (${detail}); is the service running?` };
  };
  async function once({ method, path, body, more }, signal) {
    try {
      const bearer = await identity.token();
      const headers = {
        "x-headgate-actor": sayable(actor),
        ...bearer === null ? {} : { authorization: `Bearer ${bearer}` },
        ...body === void 0 ? {} : { "content-type": "application/json" },
        ...more
      };
      const content = body === void 0 ? {} : { body: JSON.stringify(body) };
      return ok(await fetch2(`${base}${path}`, { method, headers, signal, ...content }));
    } catch (error) {
      return err(away(error));
    }
  }
  async function sent(sending, signal) {
    const first = await once(sending, signal);
    return first.ok && first.value.status === 401 && await identity.renew() ? once(sending, signal) : first;
  }
  async function contentOf(response) {
    const type = response.headers.get("content-type") ?? "text";
    try {
      const content = await response.json();
      if (typeof content === "object" && content !== null && (response.ok || "detail" in content)) return ok(content);
    } catch (error) {
      if (!(error instanceof SyntaxError) || type.includes("json")) return err(away(error));
    }
    const { status } = response;
    if (500 <= status) return err({ kind: "unreachable", detail: `${base} answers ${status}; is the service running?` });
    return err({ kind: "foreign", status, detail: `${base} is not Headgate: it answers ${status} with ${type}; ${RIGHT}` });
  }
  async function call(method, path, body, more = {}) {
    const answer = await sent({ method, path, body, more }, AbortSignal.timeout(ANSWER_MS));
    if (!answer.ok) return answer;
    const content = await contentOf(answer.value);
    if (!content.ok) return content;
    return answer.value.ok ? ok(content.value) : err(refusalOf(answer.value, content.value));
  }
  async function lines(path) {
    const answer = await sent({ method: "GET", path, body: void 0, more: {} }, null);
    if (!answer.ok) return answer;
    const { body } = answer.value;
    if (answer.value.ok && body) return ok(linesOf(body));
    const content = await contentOf(answer.value);
    return content.ok ? err(refusalOf(answer.value, content.value)) : content;
  }
  return { call, lines };
}
function refusalOf({ status, headers }, content) {
  const seconds = /^\d{1,6}$/.exec(headers.get("retry-after") ?? "")?.[0];
  return {
    kind: "refused",
    status,
    problem: content,
    retryAfterMs: seconds === void 0 ? null : Number(seconds) * 1e3
  };
}
async function* linesOf(body) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of body) {
    const found = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = found.pop() ?? "";
    yield* found;
  }
  if (rest !== "") yield rest;
}

// src/cli/client.ts
function client(options) {
  const { call, lines } = transport(options);
  const part = encodeURIComponent;
  return {
    start: (options2, key) => call("POST", "/v1/releases", options2, { "idempotency-key": key }),
    tryStart: (options2) => call("POST", "/v1/releases?validate_only=true", options2),
    release: (id) => call("GET", `/v1/releases/${part(id)}`),
    checks: (id) => call("GET", `/v1/releases/${part(id)}/checks`),
    releases: (query) => call("GET", `/v1/releases?${new URLSearchParams(query).toString()}`),
    wait: (id, until2, timeout) => call("GET", `/v1/releases/${part(id)}/wait?until=${part(until2)}&timeout=${part(timeout)}`),
    command: (id, verb, { body, key, seen }) => call("POST", `/v1/releases/${part(id)}/commands/${part(verb)}`, body, {
      "idempotency-key": key,
      "if-match": seen === null ? "*" : `"${seen}"`
    }),
    services: () => call("GET", "/v1/services"),
    service: (name) => call("GET", `/v1/services/${part(name)}`),
    targets: (name) => call("GET", `/v1/services/${part(name)}/targets`),
    setStable: (name, body) => call("PUT", `/v1/services/${part(name)}/stable`, body, { "if-match": "*" }),
    applyPlan: (document) => call("POST", "/v1/plans", { document }),
    validate: (document) => call("POST", "/v1/plans:validate", { document }),
    previewPlan: (body) => call("POST", "/v1/plans:preview", body),
    simulatePlan: (body) => call("POST", "/v1/plans:simulate", body),
    backtestPlan: (body) => call("POST", "/v1/plans:backtest", body),
    createToken: (body) => call("POST", "/v1/tokens", body),
    tokens: (cursor) => call("GET", `/v1/tokens?limit=200${cursor === null ? "" : `&cursor=${part(cursor)}`}`),
    revokeToken: (id) => call("DELETE", `/v1/tokens/${part(id)}`),
    auditHead: () => call("GET", "/v1/audit:head"),
    auditLines: () => lines("/v1/audit:export"),
    endpoints: () => call("GET", "/v1/webhooks/endpoints"),
    deliveries: (query) => call("GET", `/v1/webhooks/deliveries?${new URLSearchParams(query).toString()}`),
    testEndpoint: (name, body) => call("POST", `/v1/webhooks/endpoints/${part(name)}/test`, body),
    enableEndpoint: (name, body) => call("POST", `/v1/webhooks/endpoints/${part(name)}/enable`, body),
    replay: (name, body) => call("POST", `/v1/webhooks/endpoints/${part(name)}/replay`, body),
    redeliver: (seq, body, key) => call("POST", `/v1/webhooks/deliveries/${seq}/redeliver`, body, { "idempotency-key": key }),
    inbox: (query) => call("GET", `/v1/webhooks/inbox?${new URLSearchParams(query).toString()}`),
    retryInbox: (seq, key) => call("POST", `/v1/webhooks/inbox/${seq}/retry`, void 0, { "idempotency-key": key }),
    flags: () => call("GET", "/v1/flags"),
    refreshFlag: (source, flag) => call("POST", `/v1/flags/${part(source)}/${part(flag)}/refresh`)
  };
}

// src/cli/exit-codes.ts
var EXIT = {
  ok: 0,
  ours: 1,
  usage: 2,
  rolledBack: 10,
  rolledBackByPerson: 11,
  unverified: 12,
  waitingForPerson: 20,
  deadline: 21,
  superseded: 30,
  unreachable: 69,
  timedOut: 75,
  /** The release goes on, and may not be followed any more. */
  lost: 76,
  forbidden: 77,
  conflict: 79
};
function exitOf({ phase, rollback, unverified }) {
  switch (phase.kind) {
    case "promoted":
      return EXIT.ok;
    case "superseded":
      return EXIT.superseded;
    case "rolledBack":
      return causeExit(rollback?.cause.kind);
    default:
      return unverified ? EXIT.unverified : null;
  }
}
function causeExit(cause) {
  if (cause === "person" || cause === "refused") return EXIT.rolledBackByPerson;
  return cause === "deadline" ? EXIT.deadline : EXIT.rolledBack;
}
function exitOfStatus(status) {
  if (status === 401 || status === 403) return EXIT.forbidden;
  if (status === 409 || status === 412) return EXIT.conflict;
  if (status === 429 || status === 503) return EXIT.unreachable;
  return status >= 500 ? EXIT.ours : EXIT.usage;
}

// src/cli/keys.ts
import { createHash, randomUUID } from "node:crypto";
var KEY_MAX = 255;
function stepOf(env2) {
  if (env2["GITHUB_RUN_ID"])
    return ["github", ...pick(env2, ["REPOSITORY_ID", "RUN_ID", "RUN_ATTEMPT", "JOB", "ACTION"], "GITHUB_")].join(":");
  if (env2["CI_JOB_ID"]) return ["gitlab", ...pick(env2, ["PROJECT_ID", "JOB_ID"], "CI_")].join(":");
  return env2["BUILD_TAG"] ? `jenkins:${env2["BUILD_TAG"]}` : null;
}
var pick = (env2, names, prefix) => names.map((name) => env2[`${prefix}${name}`] ?? "");
function requestKey(env2, request) {
  const step = stepOf(env2);
  if (step === null) return randomUUID();
  const digest = createHash("sha256").update(JSON.stringify(request)).digest("hex").slice(0, 16);
  return `${step.replaceAll(/[^\x21-\x7e]/g, "-").slice(0, KEY_MAX - digest.length - 1)}:${digest}`;
}

// src/cli/session.ts
function refused(print, error) {
  print.note(errorText(error));
  return error.kind === "unreachable" ? EXIT.unreachable : exitOfStatus(error.status);
}

// src/cli/stages.ts
var STAGE_SHAPE = "a stage is a weight and a hold, such as 5%,10m";
function stageOf(text) {
  const [, weight, hold] = /^(\d{1,3}(?:\.\d+)?%),([\da-z]+)$/.exec(text.trim()) ?? [];
  return weight && hold ? { weight, hold } : null;
}
var planOfStages = (service, stages, checks) => ({
  name: `${service}-stages`,
  service,
  steps: stages,
  checks
});

// src/cli/wait.ts
import { setTimeout as delay2 } from "node:timers/promises";
var LOOK_MS = 2e3;
var RENEWAL_MS = 3e3;
async function waitFor(session, id, options) {
  const forget = session.onInterrupt?.(() => session.print.note(`the release goes on; ${waysOf(id)}`));
  try {
    return await followed(session, id, options);
  } finally {
    forget?.();
  }
}
async function followed({ api, print, json }, id, options) {
  const { until: until2, timeoutMs, started = null } = options;
  const endMs = performance.now() + timeoutMs;
  let last = started;
  let told2 = "";
  let unknown = 0;
  const pause = (ms) => delay2(Math.min(ms, Math.max(0, endMs - performance.now())));
  for (let failures = 0; performance.now() < endMs; ) {
    const answer = await api.wait(id, until2, lookOf(endMs - performance.now()));
    if (!answer.ok) {
      if (isUnknown(answer.error) && unknown === 0) {
        unknown = 1;
        print.note(`${errorText(answer.error)}; the release goes on, and whoever renews the token is given a moment`);
        await pause(RENEWAL_MS);
        continue;
      }
      if (!mayPass(answer.error) && !(last && isInBetween(answer.error))) return lost({ id, print, last }, answer.error);
      if (failures === 0) print.note(`${errorText(answer.error)}; the release goes on, waiting for the service`);
      failures += 1;
      await pause(pauseOf(answer.error, failures));
      continue;
    }
    failures = 0;
    unknown = 0;
    last = answer.value.release;
    const news = newsOf(last);
    if (json && news !== told2) print.data(JSON.stringify(last));
    const ended = exitOf(last);
    if (ended !== null || answer.value.reached) {
      if (json) print.note(last.sentence);
      else print.last(last);
      return ended ?? EXIT.ok;
    }
    if (!json) print.progress(last);
    if (news !== told2 && until2 === "terminal" && isWithPeople(last)) print.note(waitsFor(last));
    told2 = news;
  }
  print.done();
  return timedOut(last, print);
}
var isUnknown = (error) => error.kind !== "unreachable" && error.status === 401;
var isInBetween = (error) => error.kind === "foreign" && error.status !== 401 && error.status !== 403;
function lost({ id, print, last }, error) {
  if (last === null) return refused(print, error);
  print.note(`${errorText(error)}
it cannot be followed any longer, and goes on: ${last.sentence}; ${waysOf(id)}`);
  return EXIT.lost;
}
var waysOf = (id) => `headgate release wait ${id} follows it again, headgate release rollback ${id} takes it back`;
function timedOut(last, print) {
  print.note(`the wait timed out; the release goes on${last ? `: ${last.sentence}` : ""}`);
  if (last === null) return EXIT.unreachable;
  return isWithPeople(last) ? EXIT.waitingForPerson : EXIT.timedOut;
}
var isWithPeople = ({ phase }) => phase.kind === "paused" || phase.kind === "awaitingApproval";
var waitsFor = ({ id, phase }) => `it waits for a person, and so does this: headgate release ${phase.kind === "paused" ? "resume" : "approve"} ${id}`;
var lookOf = (leftMs) => `${Math.max(1, Math.round(Math.min(LOOK_MS, leftMs)))}ms`;

// src/lib/duration.ts
var UNIT_MS = { d: 864e5, h: 36e5, m: 6e4, s: 1e3, ms: 1 };
var SHAPE = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/;
function parseDuration(text) {
  const match = SHAPE.exec(text.trim());
  if (!match || text.trim() === "") return null;
  const [, d = "0", h = "0", m = "0", s = "0", ms = "0"] = match;
  const total = Number(d) * UNIT_MS.d + Number(h) * UNIT_MS.h + Number(m) * UNIT_MS.m + Number(s) * UNIT_MS.s + Number(ms);
  return Number.isSafeInteger(total) ? total : null;
}

// deploy/github-action/main.ts
var { env } = process;
var input = (name) => (env[`INPUT_${name.toUpperCase()}`] ?? "").trim();
var Wrong = class extends Error {
};
function needed(name) {
  const text = input(name);
  if (text === "") throw new Wrong(`the input ${name} is missing`);
  return text;
}
function duration(name, otherwise) {
  const text = input(name) || otherwise;
  const ms = parseDuration(text);
  if (ms === null) throw new Wrong(`the input ${name} is a duration such as 30s, 5m or 1h, not "${text}"`);
  return ms;
}
function until() {
  const text = input("until") || "terminal";
  if (untilOf(text) === null) throw new Wrong(`the input until is ${UNTIL_SHAPE}, not "${text}"`);
  return text;
}
function waits() {
  const text = input("wait") || "true";
  if (text !== "true" && text !== "false") throw new Wrong(`the input wait is true or false, not "${text}"`);
  return text === "true";
}
function planOf() {
  const [plan, file, stages] = [input("plan"), input("file"), input("stages")];
  if ([plan, file, stages].filter((each) => each !== "").length !== 1)
    throw new Wrong("say by which plan: one of the inputs plan, file and stages");
  if (plan !== "") return plan;
  if (file !== "") return textOf(file);
  const checks = input("checks").split(",").map((name) => name.trim());
  return planOfStages(needed("service"), stages.split(/\s+/).map(stage), checks.filter(Boolean));
}
function textOf(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw new Wrong(`${file} cannot be read: is the repository checked out?`);
  }
}
function stage(text) {
  const found = stageOf(text);
  if (found === null) throw new Wrong(`the input stages: ${STAGE_SHAPE}, not "${text}"`);
  return found;
}
function output(name, value) {
  const file = env["GITHUB_OUTPUT"];
  if (file) appendFileSync(file, `${name}=${String(value).replaceAll(/[\r\n]/g, " ")}
`);
}
var escaped = (text) => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
var annotate = (level, title, text) => void process.stdout.write(
  `::${level} title=${escaped(title).replaceAll(":", "%3A").replaceAll(",", "%2C")}::${escaped(text)}
`
);
function clientOf(server) {
  const wrong = wrongAddress(server);
  if (wrong !== null) throw new Wrong(`the input server: ${wrong}`);
  const [token, audience] = [input("token"), input("audience")];
  if (token !== "") process.stdout.write(`::add-mask::${token}
`);
  const known = token === "" ? null : token;
  const identity = known === null && audience !== "" ? githubIdentity(env, audience, fetch) : fixedIdentity(known);
  if (identity === null) throw new Wrong('with an audience the job needs "permissions: { id-token: write }"');
  const actor = `ci:${env["GITHUB_REPOSITORY"] ?? "github"} run ${env["GITHUB_RUN_ID"] ?? "?"}`;
  return client({ server, actor, token: known, fetch, identity });
}
async function main() {
  const server = needed("server").replace(/\/+$/, "");
  const api = clientOf(server);
  const print = printer({ out: process.stdout, err: process.stdout }, true);
  const [reason, onBusy] = [input("reason"), input("on-busy")];
  const asked = {
    plan: planOf(),
    version: needed("version"),
    ...onBusy === "" ? {} : { onBusy },
    ...reason === "" ? {} : { reason }
  };
  const [isWaiting, options] = [waits(), { until: until(), timeoutMs: duration("timeout", "1h") }];
  const retryMs = duration("retry", "2m");
  let known = null;
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => left(known));
  const patience = { ms: retryMs, note: print.note };
  const beyond = isWaiting ? await beyondPlan(api, { asked, until: options.until }, patience) : ok(null);
  if (beyond.ok && beyond.value !== null) throw new Wrong(beyond.value);
  const key = input("idempotency-key") || requestKey(env, asked);
  const started = await again(() => api.start(asked, key), patience);
  if (!started.ok) {
    annotate("error", "The release was not started", errorText(started.error));
    return refused(print, started.error);
  }
  const { id } = started.value;
  known = id;
  output("release-id", id);
  output("url", `${server}/releases/${id}`);
  print.data(`${started.value.sentence}
${server}/releases/${id}`);
  if (!isWaiting) return told(api, started.value, { code: EXIT.ok, server });
  const code = await waitFor({ api, print, json: false, env }, id, { ...options, started: started.value });
  const last = await api.release(id);
  return told(api, last.ok ? last.value : started.value, { code, server });
}
function left(id) {
  const text = id === null ? "The release was being asked for, and may have begun: headgate release list shows it" : `The release goes on. To take it back: headgate release rollback ${id}`;
  annotate("warning", "The job was cancelled", text);
  process.exit(130);
}
async function told(api, release, { code, server }) {
  const checks = await api.checks(release.id);
  output("phase", release.phase.kind);
  const level = code === EXIT.ok ? "notice" : (exitOf(release) ?? EXIT.ok) === EXIT.ok ? "warning" : "error";
  annotate(level, `${release.service} ${release.version}`, release.sentence);
  const file = env["GITHUB_STEP_SUMMARY"];
  if (file) appendFileSync(file, summary(release, checks.ok ? checks.value.items : [], server));
  return code;
}
var cell = (text) => text.replaceAll(/[|\\`<>]/g, (sign) => `\\${sign}`).replaceAll(/\s+/g, " ");
var percent = (bp) => `${(bp / 100).toFixed(2).replace(/\.?0+$/, "")} %`;
function summary(release, checks, server) {
  const { service, version, stableVersion, phase, step, steps, wantedBp, sentence, id } = release;
  const arm = (found) => found ? `${found.bad} of ${found.n}` : "";
  const rows = checks.map(
    ({ name, verdict, sentence: said, evidence }) => `| ${cell(name)} | ${verdict} | ${arm(evidence?.canary)} | ${arm(evidence?.stable)} | ${cell(said)} |`
  );
  return [
    `### ${cell(service)} ${cell(stableVersion ?? "")} → ${cell(version)}: ${phase.kind}`,
    "",
    cell(sentence),
    "",
    "| step | wanted | release |",
    "| --- | --- | --- |",
    `| ${step} of ${steps} | ${percent(wantedBp)} | [${id}](${server}/releases/${id}) |`,
    "",
    ...rows.length === 0 ? [] : ["| check | verdict | bad of canary | bad of stable | evidence |", "| --- | --- | --- | --- | --- |", ...rows, ""],
    ""
  ].join("\n");
}
try {
  const code = await main();
  output("exit-code", code);
  process.exitCode = code;
} catch (error) {
  if (!(error instanceof Wrong)) throw error;
  annotate("error", "Headgate", error.message);
  output("exit-code", EXIT.usage);
  process.exitCode = EXIT.usage;
}
