// Runs session.mjs in Node.js like the tabs of a browser, against the server whose address is the
// argument.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

const SERVER = process.argv[2];
const serverFetch = globalThis.fetch;

// The browser features that the script uses: cookies, which all tabs share, and locks.

let jar, sent, answered, beforeSending, locks;

const sendTo = (path) =>
    [...jar.values()].filter((cookie) => path === cookie.path || path.startsWith(cookie.path));

globalThis.location = new URL(SERVER + "/");
globalThis.document = {
    get cookie() {
        const readable = sendTo("/").filter((cookie) => !cookie.httpOnly);
        return readable.map(({ name, value }) => `${name}=${value}`).join("; ");
    },
};
Object.defineProperty(globalThis, "navigator", {
    configurable: true,
    get: () => ({ locks }),
});
globalThis.fetch = async (url, options) => {
    const { href, pathname } = new URL(url, location.href);
    sent.push(pathname);
    const headers = new Headers(options?.headers);
    const cookies = sendTo(pathname).map(({ name, value }) => `${name}=${value}`);
    if (cookies.length > 0) headers.set("Cookie", cookies.join("; "));
    const faked = await beforeSending?.(pathname, sent.length);
    const response = faked ?? (await serverFetch(href, { ...options, headers }));
    for (const line of response.headers.getSetCookie()) {
        const [pair, ...attributes] = line.split("; ");
        const [name, value] = pair.split("=", 2);
        const path = attributes.find((text) => text.startsWith("Path="))?.slice(5) ?? "/";
        const cookie = { name, value, path, httpOnly: attributes.includes("HttpOnly") };
        if (attributes.includes("Max-Age=0")) jar.delete(name + path);
        else jar.set(name + path, cookie);
    }
    answered++;
    return response;
};

/** One request at a time holds a lock. */
const webLocks = () => {
    let last = Promise.resolve();
    return {
        request(_name, run) {
            const result = last.then(run);
            last = result.catch(() => {});
            return result;
        },
    };
};

/** A tab has its own copy of the script. */
let tabs = 0;
const openTab = async () => (await import(`./session.mjs?tab=${++tabs}`)).request;

const advance = (minutes) => serverFetch(`${SERVER}/clock/${minutes}`, { method: "POST" });
const note = (request) => request("/notes", { method: "POST", body: "tea" });
const refreshes = () => sent.filter((path) => path === "/session/refresh").length;

/** Holds a refresh back until so many requests were answered, and each of them waits for a refresh. */
const refreshAfter = async (count) => {
    while (answered < count) await new Promise(setImmediate);
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
};

const expectNoted = async (response) => {
    assert.equal(response.status, 200);
    assert.equal(await response.text(), "ada noted: tea");
};

beforeEach(async () => {
    jar = new Map();
    sent = [];
    beforeSending = undefined;
    locks = webLocks();
    const body = new URLSearchParams({ name: "ada", password: "lovelace" });
    const response = await fetch("/session", { method: "POST", body });
    assert.equal(response.status, 204);
    assert.equal(jar.size, 4);
    sent = [];
    answered = 0;
});

test("a request carries the CSRF value", async () => {
    const request = await openTab();
    await expectNoted(await note(request));
    assert.deepEqual(sent, ["/notes"]);
    // The server refuses a request without it.
    const response = await fetch("/notes", { method: "POST", body: "tea" });
    assert.equal((await response.json()).code, "csrf_missing");
});

test("requests at the same time share one refresh", async () => {
    const request = await openTab();
    await advance(15);
    const responses = await Promise.all(Array.from({ length: 5 }, () => note(request)));
    for (const response of responses) await expectNoted(response);
    assert.equal(refreshes(), 1);
    assert.equal(sent.length, 5 + 1 + 5);
});

test("tabs share one refresh", async () => {
    const requests = [await openTab(), await openTab(), await openTab()];
    await advance(15);
    for (const response of await Promise.all(requests.flatMap((tab) => [note(tab), note(tab)]))) {
        await expectNoted(response);
    }
    assert.equal(refreshes(), 1);
});

test("without locks, tabs refresh once each and stay logged in", async () => {
    locks = undefined;
    const requests = [await openTab(), await openTab()];
    await advance(15);
    beforeSending = (path) => (path.endsWith("refresh") ? refreshAfter(6) : undefined);
    const notes = requests.flatMap((tab) => [note(tab), note(tab), note(tab)]);
    for (const response of await Promise.all(notes)) await expectNoted(response);
    await expectNoted(await note(requests[0]));
    assert.equal(refreshes(), 2);
});

test("a refusal that comes after the refresh is over does not start another", async () => {
    const request = await openTab();
    await advance(15);
    let release;
    const refreshed = new Promise((resolve) => (release = resolve));
    beforeSending = async (_path, n) => (n === 1 ? void (await refreshed) : undefined);
    const late = note(request);
    await expectNoted(await note(request));
    release();
    await expectNoted(await late);
    assert.equal(refreshes(), 1);
});

test("a CSRF value that another tab has changed is read again", async () => {
    const [request, other] = [await openTab(), await openTab()];
    await advance(15);
    // The other tab refreshes after this tab has read the value, and before its request is sent
    // with the new cookies.
    const real = globalThis.fetch;
    globalThis.fetch = async (url, options) => {
        globalThis.fetch = real;
        await expectNoted(await note(other));
        return real(url, options);
    };
    await expectNoted(await note(request));
    assert.equal(refreshes(), 1);
    assert.equal(sent.length, 3 + 2);
});

test("without a session there is nothing to refresh", async () => {
    const request = await openTab();
    jar.clear();
    assert.equal((await (await note(request)).json()).code, "token_missing");
    assert.deepEqual(sent, ["/notes"]);
});

test("a cookie that the browser has dropped is refreshed", async () => {
    const request = await openTab();
    for (const [key, { name }] of jar) if (name.includes("access")) jar.delete(key);
    await expectNoted(await note(request));
    assert.equal(refreshes(), 1);
});

test("a request is repeated once", async () => {
    const request = await openTab();
    await advance(15);
    beforeSending = async (_path, n) => (n === 3 ? void (await advance(15)) : undefined);
    const response = await note(request);
    assert.equal((await response.json()).code, "token_expired");
    assert.deepEqual(sent, ["/notes", "/session/refresh", "/notes"]);
});

test("when the session is over or the refresh fails, the caller gets that response", async () => {
    const request = await openTab();
    await advance(15);
    beforeSending = async (path) => {
        if (!path.endsWith("refresh")) return undefined;
        await refreshAfter(2);
        return new Response("down", { status: 503 });
    };
    for (const response of await Promise.all([note(request), note(request)])) {
        assert.equal(response.status, 503);
        assert.equal(await response.text(), "down");
    }
    assert.equal(refreshes(), 1);

    beforeSending = undefined;
    await advance(31 * 24 * 60);
    const response = await note(request);
    assert.equal((await response.json()).code, "token_expired");
    assert.equal(sent.at(-1), "/session/refresh");
});

test("the CSRF value is not sent to another origin", async () => {
    const request = await openTab();
    await assert.rejects(request("https://evil.example/notes", { method: "POST" }), TypeError);
    await assert.rejects(request("//evil.example/notes"), TypeError);
    assert.deepEqual(sent, []);
});
